// KeyRing: the keys of an issuer as they are now, and the one fetch that renews them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "aiserve/core/runtime.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/security/jwt_verifier.hpp"
#include "core/operation.hpp"
#include "decide/key_refresh.hpp"
#include "security/jwk_set.hpp"

namespace aiserve::inline v0::detail {

struct KeyRingOptions {
  std::string issuer;
  FetchKeys fetch;
  JwkSetRules rules;
  decide::KeyRefreshRules refresh;
  std::chrono::milliseconds fetch_timeout{};
  std::size_t max_size = 0;
};

class KeyRing {
 public:
  KeyRing(Runtime& runtime, KeyRingOptions options);

  /// Null: there were none yet.
  std::shared_ptr<const JwkSet> keys() const;
  /// Changes with the keys.
  std::uint64_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }

  /// What to do about a key that is, or is not, among them; begins the fetch that this asks for.
  decide::KeyStep step(bool known);
  /// Waits for the fetch that is on its way, if there is one.
  Async<void> wait(const Context& ctx);
  /// Takes a set of keys in. Errors: malformed, invalid_argument, too_large; the old ones stay
  /// then.
  Result<void> load(std::string_view text);

 private:
  using WaiterPtr = IntrusivePtr<Operation>;

  decide::Nanos now() const noexcept;
  void begin_fetch(std::uint64_t number);
  Async<void> fetch(const Context& ctx);
  void end_fetch(const Result<void>& result);
  // Nobody waits any longer for the fetch of that number.
  void let_go(std::uint64_t number);
  void tell(const Result<void>& result);

  Runtime& runtime_;
  const KeyRingOptions options_;
  Counter& fetched_;
  Counter& failed_;
  mutable std::mutex mutex_;
  std::shared_ptr<const JwkSet> keys_;
  std::string text_;  // what they were read from
  decide::KeyRefreshState state_;
  std::uint64_t fetch_ = 0;  // the last one's number
  std::vector<WaiterPtr> waiters_;
  bool failing_ = false;
  std::atomic<std::uint64_t> generation_{0};
  std::atomic<decide::Nanos> next_look_{0};  // until then a known key is used without a lock
};

}  // namespace aiserve::inline v0::detail
