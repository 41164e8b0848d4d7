// TierReader: gathers the keys that misses ask of a tier, so that one call carries many.
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <optional>

#include "cache/tier_link.hpp"
#include "core/operation.hpp"

namespace aiserve::inline v0::detail {

class TierReader {
 public:
  /// `more` may add a key to a call, and gets its value before those who wait do.
  struct Extra {
    std::function<std::optional<TierKey>()> wanted;
    std::function<void(const std::optional<Bytes>&)> got;
  };
  TierReader(TierLink& link, Extra extra) : link_(link), extra_(std::move(extra)) {}

  /// Nothing also when the tier fails, is left alone, or too many wait. Errors: those of `ctx`.
  Async<std::optional<Bytes>> get(const Context& ctx, const TierKey& key);

 private:
  class Waiter final : public Operation {
   public:
    explicit Waiter(TierKey wanted) noexcept : key(std::move(wanted)) {}
    const TierKey key;
    std::optional<Bytes> value;
  };
  using WaiterPtr = IntrusivePtr<Waiter>;

  bool enlist(const WaiterPtr& waiter);
  std::vector<WaiterPtr> next_batch();
  void begin_drain(IoThread& home);
  Task drain();
  void answer(const std::vector<WaiterPtr>& batch, const Result<TierValues>& values);

  TierLink& link_;
  const Extra extra_;
  std::mutex mutex_;
  std::deque<WaiterPtr> waiting_;
  std::size_t draining_ = 0;
};

}  // namespace aiserve::inline v0::detail
