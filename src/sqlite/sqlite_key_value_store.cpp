#include "aiserve/sqlite/sqlite_stores.hpp"
#include "sqlite/store_options.hpp"
#include "storage/counting.hpp"

namespace aiserve::inline v0 {

using detail::Connection;
using detail::Query;

namespace {

constexpr const char* kGet =
    R"sql(SELECT value, version FROM key_value
          WHERE tenant = ?1 AND name = ?2 AND (expires_at IS NULL OR expires_at > ?3))sql";
constexpr const char* kVersion =
    R"sql(SELECT version FROM key_value
          WHERE tenant = ?1 AND name = ?2 AND (expires_at IS NULL OR expires_at > ?3))sql";
constexpr const char* kNumber =
    R"sql(SELECT value, expires_at FROM key_value
          WHERE tenant = ?1 AND name = ?2 AND (expires_at IS NULL OR expires_at > ?3))sql";
// A new row, so that the version is a new one as well.
constexpr const char* kPut =
    R"sql(INSERT OR REPLACE INTO key_value (tenant, name, value, expires_at)
          VALUES (?1, ?2, ?3, ?4))sql";
constexpr const char* kErase = R"sql(DELETE FROM key_value WHERE tenant = ?1 AND name = ?2)sql";
constexpr const char* kList =
    R"sql(SELECT name FROM key_value
          WHERE tenant = ?1 AND name >= ?2 AND name > ?3
            AND (expires_at IS NULL OR expires_at > ?4)
          ORDER BY name LIMIT ?5)sql";
constexpr const char* kPrune =
    R"sql(DELETE FROM key_value WHERE version IN (
            SELECT version FROM key_value
            WHERE expires_at IS NOT NULL AND expires_at <= ?1
            ORDER BY expires_at LIMIT 4) /* across tenants: expiry */)sql";

std::int64_t version_of(Connection& connection, const StoreKey& key, std::int64_t now) {
  Query query(connection, kVersion, key.tenant(), key.name(), now);
  return query.row() ? query.integer(0) : PutOptions::kAbsent;
}

struct Kept {
  Bytes value;
  std::optional<std::int64_t> expires;
};

std::optional<Kept> kept(Connection& connection, const StoreKey& key, std::int64_t now) {
  Query query(connection, kNumber, key.tenant(), key.name(), now);
  if (!query.row()) return std::nullopt;
  Kept found{query.bytes(0), std::nullopt};
  if (!query.null(1)) found.expires = query.integer(1);
  return found;
}

Result<Sum> add_to(Connection& connection, const StoreKey& key, std::int64_t amount,
                   const AddOptions& options, std::int64_t now) {
  const std::optional<Kept> old = kept(connection, key, now);
  std::optional<std::string_view> text;
  if (old) text = old->value.text();
  Result<Sum> sum = detail::added_to(text, amount, options.at_most);
  if (!sum.ok() || !sum->added || amount == 0) return sum;
  std::optional<std::int64_t> expires;
  if (old) {
    expires = old->expires;
  } else if (options.ttl) {
    expires = detail::later(now, *options.ttl);
  }
  Query(connection, kPrune, now).run();
  const Bytes number = detail::number_bytes(sum->value);
  Query(connection, kPut, key.tenant(), key.name(), number, expires).run();
  return sum;
}

}  // namespace

SqliteKeyValueStore::SqliteKeyValueStore(SqliteDatabase& database, SqliteStoreOptions options)
    : core_(database.core()), max_value_(detail::checked(options, "key value").max_value) {}

Async<std::optional<Versioned>> SqliteKeyValueStore::get(const Context& ctx, const StoreKey& key) {
  if (auto good = key.check(); !good) co_return good.error();
  const auto work =
      [key, now = core_.wall_ms()](Connection& connection) -> Result<std::optional<Versioned>> {
    Query query(connection, kGet, key.tenant(), key.name(), now);
    if (!query.row()) return std::nullopt;
    return Versioned(query.bytes(0), query.integer(1));
  };
  co_return co_await core_.read(ctx, work);
}

Async<std::int64_t> SqliteKeyValueStore::put(const Context& ctx, const StoreKey& key,
                                             const Bytes& value, const PutOptions& options) {
  const Result<void> good = detail::check_put(key, value, max_value_, options);
  if (!good) co_return good.error();
  const auto work = [key, value, options,
                     now = core_.wall_ms()](Connection& connection) -> Result<std::int64_t> {
    if (options.if_version && version_of(connection, key, now) != *options.if_version) {
      return detail::version_conflict();
    }
    std::optional<std::int64_t> expires;
    if (options.ttl) expires = detail::later(now, *options.ttl);
    Query(connection, kPrune, now).run();
    Query(connection, kPut, key.tenant(), key.name(), value, expires).run();
    return connection.last_id();
  };
  co_return co_await core_.write(ctx, work);
}

Async<Sum> SqliteKeyValueStore::add(const Context& ctx, const StoreKey& key, std::int64_t amount,
                                    const AddOptions& options) {
  const Result<void> good = detail::check_add(key, options);
  if (!good) co_return good.error();
  const auto work = [key, amount, options, now = core_.wall_ms()](Connection& connection) {
    return add_to(connection, key, amount, options, now);
  };
  co_return co_await core_.write(ctx, work);
}

Async<bool> SqliteKeyValueStore::erase(const Context& ctx, const StoreKey& key,
                                       std::optional<std::int64_t> if_version) {
  if (auto good = key.check(); !good) co_return good.error();
  const auto work = [key, if_version,
                     now = core_.wall_ms()](Connection& connection) -> Result<bool> {
    const std::int64_t version = version_of(connection, key, now);
    const bool there = version != PutOptions::kAbsent;
    if (if_version && (!there || version != *if_version)) return detail::version_conflict();
    Query(connection, kErase, key.tenant(), key.name()).run();
    return there;
  };
  co_return co_await core_.write(ctx, work);
}

Async<std::vector<StoreKey>> SqliteKeyValueStore::list(const Context& ctx, const TenantId& tenant,
                                                       const KeyPage& page) {
  if (auto good = detail::check_limit(page.limit); !good) co_return good.error();
  const auto work = [tenant, prefix = std::string(page.prefix), after = std::string(page.after),
                     limit = page.limit, now = core_.wall_ms()](
                        Connection& connection) -> Result<std::vector<StoreKey>> {
    std::vector<StoreKey> keys;
    Query query(connection, kList, tenant, prefix, after, now, limit);
    while (query.row() && query.text(0).starts_with(prefix)) {
      keys.emplace_back(tenant, query.string(0));
    }
    return keys;
  };
  co_return co_await core_.read(ctx, work);
}

}  // namespace aiserve::inline v0
