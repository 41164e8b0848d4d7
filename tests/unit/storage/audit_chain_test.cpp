#include "aiserve/storage/audit_chain.hpp"

#include <doctest/doctest.h>

#include "storage/sha256.hpp"

using namespace aiserve;

namespace {

const WallTime kAt{std::chrono::milliseconds(1'700'000'000'000)};

AuditEntry entry(std::string actor, std::string action, std::string detail = "d") {
  return AuditEntry(TenantId("t"), std::move(actor), std::move(action), "o", std::move(detail));
}

std::vector<AuditRecord> chain(const std::vector<AuditEntry>& entries) {
  std::vector<AuditRecord> records;
  Bytes last = audit_chain_start();
  for (const AuditEntry& one : entries) {
    const auto sequence = static_cast<std::int64_t>(records.size()) + 1;
    last = audit_hash("key", last, one, sequence, kAt);
    records.emplace_back(one, AuditReceipt(sequence, kAt, last));
  }
  return records;
}

}  // namespace

TEST_CASE("SHA-256 and HMAC-SHA256 are those of FIPS 180 and RFC 4231") {
  CHECK(detail::hex(detail::sha256("")) ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(detail::hex(detail::hmac_sha256("Jefe", "what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(detail::hmac_sha256("", "x") != detail::hmac_sha256("Jefe", "x"));
}

TEST_CASE("a chain holds, and ends where the next records begin") {
  std::vector<AuditRecord> records = chain({entry("a", "1"), entry("b", "2"), entry("c", "3")});
  const Bytes end = verify_audit_chain("key", audit_chain_start(), records).value();
  CHECK(end == records.back().receipt().hash());
  const Bytes middle =
      verify_audit_chain("key", audit_chain_start(), std::span(records).first(1)).value();
  CHECK(verify_audit_chain("key", middle, std::span(records).subspan(1)).value() == end);
}

TEST_CASE("whatever is changed in a chain breaks it there") {
  const std::vector<AuditEntry> entries{entry("a", "1"), entry("b", "2"), entry("c", "3")};
  const auto breaks_at = [](const std::vector<AuditRecord>& records) {
    const auto held = verify_audit_chain("key", audit_chain_start(), records);
    return held ? std::string("holds") : held.error().message();
  };
  const std::vector<AuditRecord> good = chain(entries);
  const auto with = [&](const AuditEntry& other, const AuditReceipt& receipt) {
    std::vector<AuditRecord> records(good.begin(), good.end());
    records[1] = AuditRecord(other, receipt);
    return breaks_at(records);
  };
  const AuditReceipt& receipt = good[1].receipt();
  CHECK(with(entries[1], receipt) == "holds");
  CHECK(with(entry("x", "2"), receipt) == "the audit chain breaks at 2");
  CHECK(with(entry("b", "x"), receipt) == "the audit chain breaks at 2");
  CHECK(with(entry("b", "2", "x"), receipt) == "the audit chain breaks at 2");
  CHECK_MESSAGE(with(entry("b2", ""), receipt) != "holds", "bytes moved from field to field");
  const WallTime later = kAt + std::chrono::milliseconds(1);
  CHECK(with(entries[1], AuditReceipt(2, later, receipt.hash())) == "the audit chain breaks at 2");
  CHECK(with(entries[1], AuditReceipt(3, kAt, receipt.hash())) == "the audit chain breaks at 3");
  CHECK(breaks_at({good[1], good[0], good[2]}) == "the audit chain breaks at 2");
  CHECK(breaks_at({good[0], good[2]}) == "the audit chain breaks at 3");
  CHECK_FALSE(verify_audit_chain("other key", audit_chain_start(), good).ok());
}
