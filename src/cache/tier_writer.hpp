// TierWriter: what is to be written to a tier, behind the callers' backs and in order, one call at
// a time. Bounded: when the tier cannot follow, the oldest results are dropped.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <variant>

#include "cache/drain_gate.hpp"
#include "cache/tier_link.hpp"
#include "core/operation.hpp"

namespace aiserve::inline v0::detail {

class TierWriter {
 public:
  struct Hooks {
    /// Asked before every call; what it returns is written before all else.
    std::function<std::optional<TierEntry>()> take_urgent;
    /// It was not written: to be taken again.
    std::function<void()> put_back_urgent;
    /// This key was to be erased and will not be. Called with the writer's lock.
    std::function<void(const TierKey&)> erase_lost;
  };
  /// A drain waits at `gate` for what is queued, unless the tier fails.
  TierWriter(TierLink& link, DrainGate& gate, Hooks hooks)
      : link_(link), gate_(gate), hooks_(std::move(hooks)) {}

  void put(TierEntry entry);
  /// Tried until it is done.
  void erase(TierKey key);
  void erase_tenant(TenantId tenant);
  /// Returns when what is urgent or queued now has been written. Errors: unavailable (some of it
  /// was dropped, or nothing is written any more), those of `ctx`.
  Async<void> flush(const Context& ctx);
  /// Begins to write what is urgent or queued; at the runtime's start, too.
  void wake();

  /// Is this key still to be erased? What the tier has for it must not be served.
  bool erasing(const TierKey& key) const;
  std::size_t queued_bytes() const;

 private:
  // Who waits for all that was queued before.
  struct Mark : Operation {
    bool lost = false;
  };
  using MarkPtr = IntrusivePtr<Mark>;
  using Item = std::variant<TierEntry, TierKey, TenantId, MarkPtr>;

  static std::size_t size_of(const Item& item) noexcept;
  void enqueue(Item item);
  void drop_oldest();
  Task run(Gate::Pass inside);
  Async<void> write_next();
  Async<void> write_urgent();
  Async<void> erase_all(std::vector<TierKey> keys);
  template <class T>
  std::vector<T> take();
  void put_back(std::vector<TierKey> keys);
  void erased(const TierKey& key);
  bool finished();
  void give_up();

  TierLink& link_;
  DrainGate& gate_;
  const Hooks hooks_;
  mutable std::mutex mutex_;
  std::deque<Item> queue_;
  std::map<std::pair<TenantId, std::string>, std::size_t> erasing_;  // how often
  std::size_t bytes_ = 0;
  bool running_ = false;
  bool woken_ = false;
};

}  // namespace aiserve::inline v0::detail
