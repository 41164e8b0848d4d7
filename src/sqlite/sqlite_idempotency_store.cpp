#include "aiserve/sqlite/sqlite_stores.hpp"
#include "sqlite/store_options.hpp"
#include "storage/checks.hpp"

namespace aiserve::inline v0 {

using detail::Connection;
using detail::LeaseTime;
using detail::Query;
using State = IdempotentRun::State;

namespace {

// Rows of runs that neither finished nor were taken over go after a day.
constexpr std::chrono::milliseconds kForgotten = std::chrono::hours(24);

constexpr const char* kFind =
    R"sql(SELECT finished, lease_boot, lease_until, expires_at, fingerprint, answer
          FROM idempotent_run WHERE tenant = ?1 AND name = ?2)sql";
constexpr const char* kBegin =
    R"sql(INSERT OR REPLACE INTO idempotent_run
            (tenant, name, finished, lease_boot, lease_until, expires_at, fingerprint, answer)
          VALUES (?1, ?2, 0, ?3, ?4, ?5, ?6, x''))sql";
constexpr const char* kFinish =
    R"sql(UPDATE idempotent_run SET finished = 1, answer = ?4, expires_at = ?5
          WHERE tenant = ?1 AND name = ?2 AND fence = ?3 AND finished = 0)sql";
constexpr const char* kAbandon =
    R"sql(DELETE FROM idempotent_run
          WHERE tenant = ?1 AND name = ?2 AND fence = ?3 AND finished = 0)sql";
constexpr const char* kPrune =
    R"sql(DELETE FROM idempotent_run WHERE fence IN (
            SELECT fence FROM idempotent_run WHERE expires_at <= ?1
            ORDER BY expires_at LIMIT 4) /* across tenants: expiry */)sql";

/// What there is under the key, if it still counts.
std::optional<IdempotentRun> current(Connection& connection, const StoreKey& key,
                                     const Bytes& fingerprint, const LeaseTime& now,
                                     std::int64_t wall) {
  Query query(connection, kFind, key.tenant(), key.name());
  if (!query.row()) return std::nullopt;
  const bool finished = query.integer(0) != 0;
  const LeaseTime lease{query.integer(1), query.integer(2)};
  if (finished ? wall >= query.integer(3) : now.past(lease)) return std::nullopt;
  if (query.text(4) != fingerprint.text()) return IdempotentRun(State::mismatch, 0, Bytes());
  if (!finished) return IdempotentRun(State::in_flight, 0, Bytes());
  return IdempotentRun(State::finished, 0, query.bytes(5));
}

}  // namespace

SqliteIdempotencyStore::SqliteIdempotencyStore(SqliteDatabase& database, SqliteStoreOptions options)
    : core_(database.core()), max_value_(detail::checked(options, "idempotency").max_value) {}

Async<IdempotentRun> SqliteIdempotencyStore::begin(const Context& ctx, const StoreKey& key,
                                                   const Bytes& fingerprint,
                                                   std::chrono::milliseconds lease) {
  if (auto good = key.check(); !good) co_return good.error();
  if (auto good = detail::check_duration(lease, "lease"); !good) co_return good.error();
  const auto fits = detail::check_size(fingerprint.size(), max_value_, "the fingerprint");
  if (!fits) co_return fits.error();
  const auto work = [this, key, fingerprint,
                     lease](Connection& connection) -> Result<IdempotentRun> {
    // Now, not when the write was queued: leases are short.
    const LeaseTime now = core_.lease_now();
    const std::int64_t wall = core_.wall_ms();
    if (auto run = current(connection, key, fingerprint, now, wall)) return *run;
    const std::int64_t until = detail::later(now.ms, lease);
    const std::int64_t forget = detail::later(detail::later(wall, lease), kForgotten);
    Query(connection, kPrune, wall).run();
    Query(connection, kBegin, key.tenant(), key.name(), now.boot, until, forget, fingerprint).run();
    return IdempotentRun(State::started, connection.last_id(), Bytes());
  };
  co_return co_await core_.write(ctx, work);
}

Async<bool> SqliteIdempotencyStore::finish(const Context& ctx, const StoreKey& key,
                                           std::int64_t fence, const Bytes& answer,
                                           std::chrono::milliseconds ttl) {
  if (auto good = detail::check_duration(ttl, "ttl"); !good) co_return good.error();
  const auto fits = detail::check_size(answer.size(), max_value_, "the answer");
  if (!fits) co_return fits.error();
  const auto work = [key, fence, answer, expires = detail::later(core_.wall_ms(), ttl)](
                        Connection& connection) -> Result<bool> {
    Query query(connection, kFinish, key.tenant(), key.name(), fence, answer, expires);
    return query.run() > 0;
  };
  co_return co_await core_.write(ctx, work);
}

Async<bool> SqliteIdempotencyStore::abandon(const Context& ctx, const StoreKey& key,
                                            std::int64_t fence) {
  const auto work = [key, fence](Connection& connection) -> Result<bool> {
    return Query(connection, kAbandon, key.tenant(), key.name(), fence).run() > 0;
  };
  co_return co_await core_.write(ctx, work);
}

}  // namespace aiserve::inline v0
