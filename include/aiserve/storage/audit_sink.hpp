/// AuditSink: the port to an append-only record of who did what, one hash chain per tenant.
///
/// Each entry's hash covers the entry and the hash before it (see audit_chain.hpp), so that a
/// changed, removed or inserted entry is found by whoever reads the chain with the key; keep the
/// latest hash elsewhere now and then, and a cut-off end is found too.
/// *Thread safety:* called on I/O threads of one Runtime, from several at once.
/// *Errors:* too_large, overloaded, unavailable, and those of the Context.
///
///     const AuditEntry entry(tenant, "operator:mia", "job.cancel", "job/42", "asked by mail");
///     Result<AuditReceipt> kept = co_await audit.append(ctx, entry);
#pragma once

#include <aiserve/core/async.hpp>
#include <aiserve/core/bytes.hpp>
#include <aiserve/core/deadline.hpp>
#include <aiserve/core/tenant.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace aiserve::inline v0 {

class AuditEntry {
 public:
  AuditEntry(TenantId tenant, std::string actor, std::string action, std::string object,
             std::string detail = {})
      : tenant_(std::move(tenant)),
        actor_(std::move(actor)),
        action_(std::move(action)),
        object_(std::move(object)),
        detail_(std::move(detail)) {}

  const TenantId& tenant() const noexcept { return tenant_; }
  const std::string& actor() const noexcept { return actor_; }  ///< who: "user:17", "operator:mia"
  const std::string& action() const noexcept { return action_; }  ///< what: "job.cancel"
  const std::string& object() const noexcept { return object_; }  ///< to what: "job/42"
  const std::string& detail() const noexcept { return detail_; }  ///< free text

 private:
  TenantId tenant_;
  std::string actor_;
  std::string action_;
  std::string object_;
  std::string detail_;
};

class AuditReceipt {
 public:
  AuditReceipt(std::int64_t sequence, WallTime at, Bytes hash) noexcept
      : sequence_(sequence), at_(at), hash_(std::move(hash)) {}

  /// From 1, without a gap, per tenant.
  std::int64_t sequence() const noexcept { return sequence_; }
  /// When the store took it, to the millisecond.
  WallTime at() const noexcept { return at_; }
  /// 32 bytes.
  const Bytes& hash() const noexcept { return hash_; }

 private:
  std::int64_t sequence_;
  WallTime at_;
  Bytes hash_;
};

class AuditRecord {
 public:
  AuditRecord(AuditEntry entry, AuditReceipt receipt) noexcept
      : entry_(std::move(entry)), receipt_(std::move(receipt)) {}
  const AuditEntry& entry() const noexcept { return entry_; }
  const AuditReceipt& receipt() const noexcept { return receipt_; }

 private:
  AuditEntry entry_;
  AuditReceipt receipt_;
};

class AuditSink {
 public:
  virtual ~AuditSink() = default;
  virtual Async<AuditReceipt> append(const Context& ctx, const AuditEntry& entry) = 0;
};

/// A sink that can be read.
class AuditLog : public AuditSink {
 public:
  /// The tenant's records with a sequence above `after`, ascending, at most `limit` (1 to 1000).
  virtual Async<std::vector<AuditRecord>> read(const Context& ctx, const TenantId& tenant,
                                               std::int64_t after, int limit) = 0;
};

}  // namespace aiserve::inline v0
