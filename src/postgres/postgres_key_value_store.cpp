#include "aiserve/postgres/postgres_stores.hpp"
#include "postgres/store_options.hpp"
#include "storage/counting.hpp"

namespace aiserve::inline v0 {

using pg::Rows;
using pg::Transaction;

namespace {

constexpr const char* kGet =
    R"sql(SELECT value, version FROM aiserve.key_value
          WHERE tenant = $1 AND name = $2
            AND (expires_at IS NULL OR expires_at > aiserve.now_ns()))sql";
constexpr const char* kVersion =
    R"sql(SELECT version FROM aiserve.key_value
          WHERE tenant = $1 AND name = $2
            AND (expires_at IS NULL OR expires_at > aiserve.now_ns()))sql";
constexpr const char* kNumber =
    R"sql(SELECT value, expires_at FROM aiserve.key_value
          WHERE tenant = $1 AND name = $2
            AND (expires_at IS NULL OR expires_at > aiserve.now_ns()))sql";
constexpr const char* kPut =
    R"sql(INSERT INTO aiserve.key_value AS kept (tenant, name, version, value, expires_at)
          VALUES ($1, $2, nextval('aiserve.key_value_version'), $3, $4)
          ON CONFLICT (tenant, name) DO UPDATE SET value = excluded.value,
            version = excluded.version, expires_at = excluded.expires_at
          RETURNING version)sql";
constexpr const char* kErase =
    R"sql(DELETE FROM aiserve.key_value WHERE tenant = $1 AND name = $2)sql";
constexpr const char* kList =
    R"sql(SELECT name FROM aiserve.key_value
          WHERE tenant = $1 AND name >= $2 AND name > $3
            AND (expires_at IS NULL OR expires_at > aiserve.now_ns())
          ORDER BY name LIMIT $4)sql";
constexpr const char* kPrune =
    R"sql(DELETE FROM aiserve.key_value WHERE tenant = $1 AND name IN (
            SELECT name FROM aiserve.key_value
            WHERE tenant = $1 AND expires_at IS NOT NULL AND expires_at <= aiserve.now_ns()
            ORDER BY expires_at LIMIT 4 FOR UPDATE SKIP LOCKED))sql";

/// Nobody else changes the key until the end of the transaction. What `sql` reads of it.
Rows lock(Transaction& transaction, const StoreKey& key, const char* sql) {
  transaction.as_tenant(key.tenant());
  transaction.add(pg::kLock, pg::lock_of("key_value", key.tenant().view(), key.name()));
  return transaction.query(sql, key.tenant(), key.name());
}

std::int64_t lock_version(Transaction& transaction, const StoreKey& key) {
  const Rows rows = lock(transaction, key, kVersion);
  return rows.empty() ? PutOptions::kAbsent : rows.integer(0, 0);
}

Result<Sum> add_to(Transaction& transaction, const StoreKey& key, std::int64_t amount,
                   const AddOptions& options) {
  const Rows old = lock(transaction, key, kNumber);
  std::optional<std::string_view> text;
  std::optional<std::int64_t> expires;
  if (!old.empty()) {
    text = old.text(0, 0);
    expires = old.optional_integer(0, 1);
  } else if (options.ttl) {
    expires = pg::later(transaction.now(), *options.ttl);
  }
  Result<Sum> sum = detail::added_to(text, amount, options.at_most);
  if (!sum.ok() || !sum->added || amount == 0) return sum;
  transaction.add(kPrune, key.tenant());
  transaction.finish_with_next();
  const Bytes number = detail::number_bytes(sum->value);
  transaction.query(kPut, key.tenant(), key.name(), number, expires);
  return sum;
}

}  // namespace

PostgresKeyValueStore::PostgresKeyValueStore(PostgresDatabase& database,
                                             PostgresStoreOptions options)
    : core_(database.core()),
      max_value_(pg::checked_size(options.max_value, "key value store: max_value")) {}

Async<std::optional<Versioned>> PostgresKeyValueStore::get(const Context& ctx,
                                                           const StoreKey& key) {
  if (auto good = key.check(); !good) co_return good.error();
  const auto work = [key](Transaction& transaction) -> Result<std::optional<Versioned>> {
    transaction.as_tenant(key.tenant());
    transaction.finish_with_next(true);
    const Rows rows = transaction.query(kGet, key.tenant(), key.name());
    if (rows.empty()) return std::nullopt;
    return Versioned(rows.bytes(0, 0), rows.integer(0, 1));
  };
  co_return co_await core_.run(ctx, work);
}

Async<std::int64_t> PostgresKeyValueStore::put(const Context& ctx, const StoreKey& key,
                                               const Bytes& value, const PutOptions& options) {
  const Result<void> good = detail::check_put(key, value, max_value_, options);
  if (!good) co_return good.error();
  const auto work = [key, value, options](Transaction& transaction) -> Result<std::int64_t> {
    const std::int64_t version = lock_version(transaction, key);
    if (options.if_version && version != *options.if_version) return detail::version_conflict();
    std::optional<std::int64_t> expires;
    if (options.ttl) expires = pg::later(transaction.now(), *options.ttl);
    transaction.add(kPrune, key.tenant());
    transaction.finish_with_next();
    return transaction.query(kPut, key.tenant(), key.name(), value, expires).integer(0, 0);
  };
  co_return co_await core_.run(ctx, work);
}

Async<Sum> PostgresKeyValueStore::add(const Context& ctx, const StoreKey& key, std::int64_t amount,
                                      const AddOptions& options) {
  const Result<void> good = detail::check_add(key, options);
  if (!good) co_return good.error();
  const auto work = [key, amount, options](Transaction& transaction) {
    return add_to(transaction, key, amount, options);
  };
  co_return co_await core_.run(ctx, work);
}

Async<bool> PostgresKeyValueStore::erase(const Context& ctx, const StoreKey& key,
                                         std::optional<std::int64_t> if_version) {
  if (auto good = key.check(); !good) co_return good.error();
  const auto work = [key, if_version](Transaction& transaction) -> Result<bool> {
    const std::int64_t version = lock_version(transaction, key);
    const bool there = version != PutOptions::kAbsent;
    if (if_version && (!there || version != *if_version)) return detail::version_conflict();
    transaction.finish_with_next();
    transaction.query(kErase, key.tenant(), key.name());
    return there;
  };
  co_return co_await core_.run(ctx, work);
}

Async<std::vector<StoreKey>> PostgresKeyValueStore::list(const Context& ctx, const TenantId& tenant,
                                                         const KeyPage& page) {
  if (auto good = detail::check_limit(page.limit); !good) co_return good.error();
  const auto work = [tenant, prefix = std::string(page.prefix), after = std::string(page.after),
                     limit =
                         page.limit](Transaction& transaction) -> Result<std::vector<StoreKey>> {
    transaction.as_tenant(tenant);
    transaction.finish_with_next(true);
    const Rows rows = transaction.query(kList, tenant, prefix, after, limit);
    std::vector<StoreKey> keys;
    keys.reserve(static_cast<std::size_t>(rows.size()));
    for (int i = 0; i < rows.size() && rows.text(i, 0).starts_with(prefix); ++i) {
      keys.emplace_back(tenant, rows.string(i, 0));
    }
    return keys;
  };
  co_return co_await core_.run(ctx, work);
}

}  // namespace aiserve::inline v0
