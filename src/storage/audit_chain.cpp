#include "aiserve/storage/audit_chain.hpp"

#include "storage/sha256.hpp"

namespace aiserve::inline v0 {
namespace {

void add_number(std::string& text, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) text += static_cast<char>((number >> shift) & 0xff);
}

void add_field(std::string& text, std::string_view field) {
  add_number(text, field.size());
  text += field;
}

}  // namespace

Bytes audit_chain_start() { return Bytes::copy(std::string(sizeof(Sha256), '\0')); }

Bytes audit_hash(std::string_view key, const Bytes& before, const AuditEntry& entry,
                 std::int64_t sequence, WallTime at) {
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(at.time_since_epoch()).count();
  std::string text(before.text());
  add_number(text, static_cast<std::uint64_t>(sequence));
  add_number(text, static_cast<std::uint64_t>(ms));
  add_field(text, entry.tenant().view());
  add_field(text, entry.actor());
  add_field(text, entry.action());
  add_field(text, entry.object());
  add_field(text, entry.detail());
  return Bytes::copy(ByteView(detail::hmac_sha256(key, text)));
}

Result<Bytes> verify_audit_chain(std::string_view key, Bytes before,
                                 std::span<const AuditRecord> records) {
  for (const AuditRecord& record : records) {
    const AuditReceipt& receipt = record.receipt();
    const Bytes hash = audit_hash(key, before, record.entry(), receipt.sequence(), receipt.at());
    if (hash != receipt.hash()) {
      return Error(Errc::data_loss,
                   "the audit chain breaks at " + std::to_string(receipt.sequence()));
    }
    before = hash;
  }
  return before;
}

}  // namespace aiserve::inline v0
