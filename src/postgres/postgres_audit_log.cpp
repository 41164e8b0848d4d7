#include "aiserve/postgres/postgres_stores.hpp"
#include "aiserve/storage/audit_chain.hpp"
#include "postgres/store_options.hpp"

namespace aiserve::inline v0 {

using pg::Rows;
using pg::Transaction;

namespace {

constexpr std::int64_t kMillisecond = 1'000'000;

constexpr const char* kLast =
    R"sql(SELECT sequence, hash FROM aiserve.audit WHERE tenant = $1
          ORDER BY sequence DESC LIMIT 1)sql";
constexpr const char* kAppend =
    R"sql(INSERT INTO aiserve.audit (tenant, sequence, at, actor, action, object, detail, hash)
          VALUES ($1, $2, $3, $4, $5, $6, $7, $8))sql";
constexpr const char* kRead =
    R"sql(SELECT sequence, at, actor, action, object, detail, hash FROM aiserve.audit
          WHERE tenant = $1 AND sequence > $2 ORDER BY sequence LIMIT $3)sql";

AuditReceipt append_to(Transaction& transaction, const std::string& key, const AuditEntry& entry) {
  const TenantId& tenant = entry.tenant();
  transaction.as_tenant(tenant);
  // One after the other, or two entries would follow the same one.
  transaction.add(pg::kLock, pg::lock_of("audit", tenant.view()));
  const Rows last = transaction.query(kLast, tenant);
  const std::int64_t sequence = last.empty() ? 1 : last.integer(0, 0) + 1;
  const Bytes before = last.empty() ? audit_chain_start() : last.bytes(0, 1);
  const std::int64_t at = transaction.now() / kMillisecond * kMillisecond;
  const WallTime when{std::chrono::nanoseconds(at)};
  Bytes hash = audit_hash(key, before, entry, sequence, when);
  transaction.finish_with_next();
  transaction.query(kAppend, tenant, sequence, at, entry.actor(), entry.action(), entry.object(),
                    entry.detail(), hash);
  return {sequence, when, std::move(hash)};
}

std::size_t size_of(const AuditEntry& entry) noexcept {
  return entry.actor().size() + entry.action().size() + entry.object().size() +
         entry.detail().size();
}

}  // namespace

PostgresAuditLog::PostgresAuditLog(PostgresDatabase& database, PostgresAuditOptions options)
    : core_(database.core()), options_(std::move(options)) {
  pg::checked_size(options_.max_entry, "audit log: max_entry");
}

Async<AuditReceipt> PostgresAuditLog::append(const Context& ctx, const AuditEntry& entry) {
  const auto fits = detail::check_size(size_of(entry), options_.max_entry, "the entry");
  if (!fits) co_return fits.error();
  const auto work = [key = options_.key, entry](Transaction& transaction) -> Result<AuditReceipt> {
    return append_to(transaction, key, entry);
  };
  co_return co_await core_.run(ctx, work);
}

Async<std::vector<AuditRecord>> PostgresAuditLog::read(const Context& ctx, const TenantId& tenant,
                                                       std::int64_t after, int limit) {
  if (auto good = detail::check_limit(limit); !good) co_return good.error();
  const auto work = [tenant, after,
                     limit](Transaction& transaction) -> Result<std::vector<AuditRecord>> {
    transaction.as_tenant(tenant);
    transaction.finish_with_next(true);
    const Rows rows = transaction.query(kRead, tenant, after, limit);
    std::vector<AuditRecord> records;
    records.reserve(static_cast<std::size_t>(rows.size()));
    for (int i = 0; i < rows.size(); ++i) {
      AuditEntry entry(tenant, rows.string(i, 2), rows.string(i, 3), rows.string(i, 4),
                       rows.string(i, 5));
      const WallTime at{std::chrono::nanoseconds(rows.integer(i, 1))};
      records.emplace_back(std::move(entry),
                           AuditReceipt(rows.integer(i, 0), at, rows.bytes(i, 6)));
    }
    return records;
  };
  co_return co_await core_.run(ctx, work);
}

}  // namespace aiserve::inline v0
