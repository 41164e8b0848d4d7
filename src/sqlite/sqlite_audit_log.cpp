#include "aiserve/sqlite/sqlite_stores.hpp"
#include "aiserve/storage/audit_chain.hpp"
#include "sqlite/store_options.hpp"
#include "storage/checks.hpp"

namespace aiserve::inline v0 {

using detail::Connection;
using detail::Query;

namespace {

constexpr const char* kLast =
    R"sql(SELECT sequence, hash FROM audit WHERE tenant = ?1
          ORDER BY sequence DESC LIMIT 1)sql";
constexpr const char* kAppend =
    R"sql(INSERT INTO audit (tenant, sequence, at, actor, action, object, detail, hash)
          VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8))sql";
constexpr const char* kRead =
    R"sql(SELECT sequence, at, actor, action, object, detail, hash FROM audit
          WHERE tenant = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3)sql";

AuditReceipt append_to(Connection& connection, const std::string& key, const AuditEntry& entry,
                       std::int64_t at) {
  std::int64_t sequence = 1;
  Bytes before = audit_chain_start();
  {
    Query last(connection, kLast, entry.tenant());
    if (last.row()) {
      sequence = last.integer(0) + 1;
      before = last.bytes(1);
    }
  }
  const WallTime when = detail::wall_time(at);
  Bytes hash = audit_hash(key, before, entry, sequence, when);
  Query(connection, kAppend, entry.tenant(), sequence, at, entry.actor(), entry.action(),
        entry.object(), entry.detail(), hash)
      .run();
  return {sequence, when, std::move(hash)};
}

std::size_t size_of(const AuditEntry& entry) noexcept {
  return entry.actor().size() + entry.action().size() + entry.object().size() +
         entry.detail().size();
}

}  // namespace

SqliteAuditLog::SqliteAuditLog(SqliteDatabase& database, SqliteAuditOptions options)
    : core_(database.core()), options_(std::move(options)) {
  if (options_.max_entry < 1 || options_.max_entry > detail::kLargestValue) {
    throw ConfigError("sqlite audit log: max_entry must be 1 to 1000000000");
  }
}

Async<AuditReceipt> SqliteAuditLog::append(const Context& ctx, const AuditEntry& entry) {
  const auto fits = detail::check_size(size_of(entry), options_.max_entry, "the entry");
  if (!fits) co_return fits.error();
  const auto work = [this, entry](Connection& connection) -> Result<AuditReceipt> {
    return append_to(connection, options_.key, entry, core_.wall_ms());
  };
  co_return co_await core_.write(ctx, work);
}

Async<std::vector<AuditRecord>> SqliteAuditLog::read(const Context& ctx, const TenantId& tenant,
                                                     std::int64_t after, int limit) {
  if (auto good = detail::check_limit(limit); !good) co_return good.error();
  const auto work = [tenant, after,
                     limit](Connection& connection) -> Result<std::vector<AuditRecord>> {
    std::vector<AuditRecord> records;
    Query row(connection, kRead, tenant, after, limit);
    while (row.row()) {
      AuditEntry entry(tenant, row.string(2), row.string(3), row.string(4), row.string(5));
      AuditReceipt receipt(row.integer(0), detail::wall_time(row.integer(1)), row.bytes(6));
      records.emplace_back(std::move(entry), std::move(receipt));
    }
    return records;
  };
  co_return co_await core_.read(ctx, work);
}

}  // namespace aiserve::inline v0
