/// Outbox: the port to events that were written in the transaction of what they tell of. Whoever
/// delivers them peeks, delivers, acknowledges; after a crash in between they come again.
/// *Thread safety:* called on I/O threads of one Runtime, from several at once.
/// *Errors:* invalid_argument, overloaded, unavailable, and those of the Context.
///
///     Result<std::vector<OutboxEvent>> events = co_await outbox.peek(ctx, 100);
///     Result<void> gone = co_await outbox.ack(ctx, events->back().sequence);
#pragma once

#include <aiserve/core/async.hpp>
#include <aiserve/core/bytes.hpp>
#include <aiserve/core/tenant.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace aiserve::inline v0 {

struct OutboxEvent {
  std::int64_t sequence = 0;  ///< ascends
  TenantId tenant{};
  std::string topic{};
  Bytes payload{};
};

class Outbox {
 public:
  virtual ~Outbox() = default;
  /// The oldest events, at most `limit` (1 to 1000).
  virtual Async<std::vector<OutboxEvent>> peek(const Context& ctx, int limit) = 0;
  /// Forgets the events up to this sequence.
  virtual Async<void> ack(const Context& ctx, std::int64_t up_to) = 0;
};

}  // namespace aiserve::inline v0
