#include "aiserve/postgres/postgres_stores.hpp"
#include "postgres/store_options.hpp"

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

/// Nobody else changes the key until the end of the transaction. The version that it has.
std::int64_t lock_version(Transaction& transaction, const StoreKey& key) {
  transaction.as_tenant(key.tenant());
  transaction.add(pg::kLock, pg::lock_of("key_value", key.tenant().view(), key.name()));
  const Rows rows = transaction.query(kVersion, key.tenant(), key.name());
  return rows.empty() ? PutOptions::kAbsent : rows.integer(0, 0);
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
