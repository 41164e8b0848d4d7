/// IdempotencyStore: the port that lets an operation with effects run once per key, and answers a
/// repetition with what the first run answered (the HTTP field Idempotency-Key,
/// draft-ietf-httpapi-idempotency-key-header).
///
/// begin() says who runs it: `started` to one caller, who calls finish() with the answer, or
/// abandon() if there was no effect. All others learn that it is in flight, get its answer, or that
/// the key was used for another request (another fingerprint). A run that neither finishes nor
/// renews is taken over after its lease; its late finish() is refused.
/// *Thread safety:* called on I/O threads of one Runtime, from several at once.
/// *Errors:* invalid_argument (key, lease), too_large (answer), overloaded, unavailable, and those
/// of the Context.
///
///     const Result<IdempotentRun> run = co_await store.begin(ctx, key, fingerprint, 30s);
///     if (run->state() == IdempotentRun::State::finished) co_return reply(run->answer());
#pragma once

#include <aiserve/core/async.hpp>
#include <aiserve/core/bytes.hpp>
#include <aiserve/storage/store_key.hpp>

#include <chrono>
#include <cstdint>

namespace aiserve::inline v0 {

class IdempotentRun {
 public:
  enum class State : std::uint8_t {
    started,    ///< it is the caller's to run
    in_flight,  ///< somebody runs it (HTTP 409)
    finished,   ///< answer() is what it answered
    mismatch,   ///< the key belongs to a request with another fingerprint (HTTP 422)
  };

  IdempotentRun(State state, std::int64_t fence, Bytes answer) noexcept
      : state_(state), fence_(fence), answer_(std::move(answer)) {}

  State state() const noexcept { return state_; }
  /// Of `started`: proves to finish() and abandon() that the run is still this caller's.
  std::int64_t fence() const noexcept { return fence_; }
  /// Of `finished`.
  const Bytes& answer() const noexcept { return answer_; }

 private:
  State state_;
  std::int64_t fence_;
  Bytes answer_;
};

class IdempotencyStore {
 public:
  virtual ~IdempotencyStore() = default;

  /// `fingerprint`: equal for equal requests, a digest of method, target and body. `lease`: at
  /// least 1 ms; longer than the operation takes.
  virtual Async<IdempotentRun> begin(const Context& ctx, const StoreKey& key,
                                     const Bytes& fingerprint, std::chrono::milliseconds lease) = 0;
  /// Keeps the answer for `ttl`. False, and nothing changes: another caller took the run over.
  virtual Async<bool> finish(const Context& ctx, const StoreKey& key, std::int64_t fence,
                             const Bytes& answer, std::chrono::milliseconds ttl) = 0;
  /// Forgets the run, so that the next begin() starts it. False as of finish().
  virtual Async<bool> abandon(const Context& ctx, const StoreKey& key, std::int64_t fence) = 0;
};

}  // namespace aiserve::inline v0
