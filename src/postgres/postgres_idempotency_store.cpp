#include "aiserve/postgres/postgres_stores.hpp"
#include "postgres/store_options.hpp"

namespace aiserve::inline v0 {

using pg::Rows;
using pg::Transaction;
using State = IdempotentRun::State;

namespace {

// Rows of runs that neither finished nor were taken over go after a day.
constexpr std::chrono::milliseconds kForgotten = std::chrono::hours(24);

constexpr const char* kFind =
    R"sql(SELECT finished, fingerprint, answer FROM aiserve.idempotent_run
          WHERE tenant = $1 AND name = $2
            AND aiserve.now_ns() < CASE finished WHEN 1 THEN expires_at ELSE lease_until END)sql";
constexpr const char* kBegin =
    R"sql(INSERT INTO aiserve.idempotent_run
            (tenant, name, fence, finished, lease_until, expires_at, fingerprint, answer)
          VALUES ($1, $2, nextval('aiserve.idempotent_fence'), 0, $3, $4, $5, '')
          ON CONFLICT (tenant, name) DO UPDATE SET fence = excluded.fence, finished = 0,
            lease_until = excluded.lease_until, expires_at = excluded.expires_at,
            fingerprint = excluded.fingerprint, answer = ''
          RETURNING fence)sql";
constexpr const char* kFinish =
    R"sql(UPDATE aiserve.idempotent_run SET finished = 1, answer = $4,
            expires_at = least(aiserve.now_ns()::numeric + $5::bigint, 9223372036854775807)::bigint
          WHERE tenant = $1 AND name = $2 AND fence = $3 AND finished = 0)sql";
constexpr const char* kAbandon =
    R"sql(DELETE FROM aiserve.idempotent_run
          WHERE tenant = $1 AND name = $2 AND fence = $3 AND finished = 0)sql";
constexpr const char* kPrune =
    R"sql(DELETE FROM aiserve.idempotent_run WHERE tenant = $1 AND name IN (
            SELECT name FROM aiserve.idempotent_run
            WHERE tenant = $1 AND expires_at <= aiserve.now_ns()
            ORDER BY expires_at LIMIT 4 FOR UPDATE SKIP LOCKED))sql";

IdempotentRun what_is_there(const Rows& rows, const Bytes& fingerprint) {
  if (rows.text(0, 1) != fingerprint.text()) return {State::mismatch, 0, Bytes()};
  if (rows.integer(0, 0) == 0) return {State::in_flight, 0, Bytes()};
  return {State::finished, 0, rows.bytes(0, 2)};
}

}  // namespace

PostgresIdempotencyStore::PostgresIdempotencyStore(PostgresDatabase& database,
                                                   PostgresStoreOptions options)
    : core_(database.core()),
      max_value_(pg::checked_size(options.max_value, "idempotency store: max_value")) {}

Async<IdempotentRun> PostgresIdempotencyStore::begin(const Context& ctx, const StoreKey& key,
                                                     const Bytes& fingerprint,
                                                     std::chrono::milliseconds lease) {
  if (auto good = key.check(); !good) co_return good.error();
  if (auto good = detail::check_duration(lease, "lease"); !good) co_return good.error();
  const auto fits = detail::check_size(fingerprint.size(), max_value_, "the fingerprint");
  if (!fits) co_return fits.error();
  const auto work = [key, fingerprint, lease](Transaction& transaction) -> Result<IdempotentRun> {
    const TenantId& tenant = key.tenant();
    transaction.as_tenant(tenant);
    transaction.add(pg::kLock, pg::lock_of("idempotent", tenant.view(), key.name()));
    const Rows found = transaction.query(kFind, tenant, key.name());
    if (!found.empty()) return what_is_there(found, fingerprint);
    const std::int64_t until = pg::later(transaction.now(), lease);
    const std::int64_t forget = pg::later(until, kForgotten);
    transaction.add(kPrune, tenant);
    transaction.finish_with_next();
    const Rows made = transaction.query(kBegin, tenant, key.name(), until, forget, fingerprint);
    return IdempotentRun(State::started, made.integer(0, 0), Bytes());
  };
  co_return co_await core_.run(ctx, work);
}

Async<bool> PostgresIdempotencyStore::finish(const Context& ctx, const StoreKey& key,
                                             std::int64_t fence, const Bytes& answer,
                                             std::chrono::milliseconds ttl) {
  if (auto good = detail::check_duration(ttl, "ttl"); !good) co_return good.error();
  const auto fits = detail::check_size(answer.size(), max_value_, "the answer");
  if (!fits) co_return fits.error();
  const auto work = [key, fence, answer,
                     ttl_ns = pg::later(0, ttl)](Transaction& transaction) -> Result<bool> {
    transaction.as_tenant(key.tenant());
    transaction.finish_with_next();
    return transaction.query(kFinish, key.tenant(), key.name(), fence, answer, ttl_ns).affected() >
           0;
  };
  co_return co_await core_.run(ctx, work);
}

Async<bool> PostgresIdempotencyStore::abandon(const Context& ctx, const StoreKey& key,
                                              std::int64_t fence) {
  const auto work = [key, fence](Transaction& transaction) -> Result<bool> {
    transaction.as_tenant(key.tenant());
    transaction.finish_with_next();
    return transaction.query(kAbandon, key.tenant(), key.name(), fence).affected() > 0;
  };
  co_return co_await core_.run(ctx, work);
}

}  // namespace aiserve::inline v0
