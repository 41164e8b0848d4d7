#include <array>

#include "aiserve/storage/audit_chain.hpp"
#include "testing/conformance.hpp"

namespace aiserve::inline v0::testing {
namespace {

using namespace std::chrono_literals;

Async<std::vector<AuditRecord>> all_of(const Context& ctx, AuditLog& log, const TenantId& tenant) {
  co_return co_await log.read(ctx, tenant, 0, 1000);
}

Async<void> chains_entries(const Context& ctx, AuditLog& log, const PassTime& pass) {
  for (int i = 0; i < 5; ++i) {
    const AuditEntry entry(kOne, "mia", "act " + std::to_string(i), "object", all_bytes());
    const auto kept = co_await log.append(ctx, entry);
    if (!kept) co_return kept.error();
    if (kept->sequence() != i + 1) co_return broken("sequences have gaps");
    pass(10ms);
  }
  auto records = co_await all_of(ctx, log, kOne);
  if (!records) co_return records.error();
  if (records->size() != 5) co_return broken("read() does not give all records");
  const auto end = verify_audit_chain(kAuditKey, audit_chain_start(), *records);
  if (!end) co_return broken(end.error().message());
  if (*end != records->back().receipt().hash()) co_return broken("the chain ends elsewhere");
  if (verify_audit_chain("another key", audit_chain_start(), *records).ok()) {
    co_return broken("the chain does not depend on the key");
  }
  records->erase(records->begin() + 2);
  const auto cut = verify_audit_chain(kAuditKey, audit_chain_start(), *records);
  co_return require_error(cut, Errc::data_loss, "a chain without its third record");
}

Async<void> keeps_tenants_apart(const Context& ctx, AuditLog& log, const PassTime& /*pass*/) {
  for (const TenantId& tenant : {kOne, kTwo, kOne, TenantId()}) {
    const AuditEntry entry(tenant, "mia", "act", "of " + tenant.value());
    if (auto kept = co_await log.append(ctx, entry); !kept) co_return kept.error();
  }
  const auto one = co_await all_of(ctx, log, kOne);
  const auto two = co_await all_of(ctx, log, kTwo);
  if (!one || !two) co_return broken("read() failed");
  if (one->size() != 2 || two->size() != 1) co_return broken("tenants see each other's records");
  if (two->front().receipt().sequence() != 1) co_return broken("tenants share sequences");
  const auto held = verify_audit_chain(kAuditKey, audit_chain_start(), *one);
  co_return require(held.ok(), "tenants share a chain");
}

Async<void> reads_page_by_page(const Context& ctx, AuditLog& log, const PassTime& /*pass*/) {
  for (int i = 0; i < 5; ++i) {
    const AuditEntry entry(kOne, "mia", std::to_string(i), "object");
    if (auto kept = co_await log.append(ctx, entry); !kept) co_return kept.error();
  }
  std::string read;
  for (std::int64_t after = 0; after < 5;) {
    const auto page = co_await log.read(ctx, kOne, after, 2);
    if (!page) co_return page.error();
    if (page->empty()) break;
    for (const AuditRecord& record : *page) read += record.entry().action();
    after = page->back().receipt().sequence();
  }
  if (read != "01234") co_return broken("pages do not join");
  const auto refused = co_await log.read(ctx, kOne, 0, 0);
  co_return require_error(refused, Errc::invalid_argument, "a page of 0 records");
}

constexpr std::array<StoreCase<AuditLog>, 3> kCases{{
    {"chains the entries of a tenant", &chains_entries},
    {"keeps tenants apart", &keeps_tenants_apart},
    {"reads page by page", &reads_page_by_page},
}};

}  // namespace

std::span<const StoreCase<AuditLog>> audit_log_cases() noexcept { return kCases; }

}  // namespace aiserve::inline v0::testing
