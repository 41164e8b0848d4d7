/// The hash chain of audit records: h(n) = HMAC-SHA256(key, h(n-1) || entry n), RFC 2104, with 32
/// zero bytes as h(0). An entry is hashed with the length of each of its fields, so that no two
/// entries read the same.
/// *Thread safety:* functions without state.
///
///     const Result<Bytes> last = verify_audit_chain(key, audit_chain_start(), records);
#pragma once

#include <aiserve/storage/audit_sink.hpp>

#include <span>
#include <string_view>

namespace aiserve::inline v0 {

/// h(0).
Bytes audit_chain_start();

Bytes audit_hash(std::string_view key, const Bytes& before, const AuditEntry& entry,
                 std::int64_t sequence, WallTime at);

/// The last hash of records that follow one another, the first one `before`. Errors: data_loss, the
/// message names the sequence at which the chain breaks.
Result<Bytes> verify_audit_chain(std::string_view key, Bytes before,
                                 std::span<const AuditRecord> records);

}  // namespace aiserve::inline v0
