// BatchFront: what Batcher and TypedBatcher have in common: the ways into the engine, from
// coroutines and from plain threads.
#pragma once

#include "serving/engine.hpp"

namespace aiserve::inline v0::detail {

template <class Entry>
EntryPtr as_entry(const IntrusivePtr<Entry>& entry) noexcept {
  return EntryPtr::share(entry.get());
}

class BatchFront {
 public:
  BatchFront(Runtime& runtime, std::unique_ptr<BatchBackend> backend,
             std::unique_ptr<BatchPlacer> placer, BatcherOptions options,
             decide::BatchPolicy policy);

  BatchEngine& engine() noexcept { return engine_; }
  const BatchEngine& engine() const noexcept { return engine_; }

  /// The time of arrival, or why a request of this Context is not even begun.
  Result<TimePoint> admit(const Context& ctx);
  /// Queues the entry and waits for its outcome: success if it has a result, which is then in the
  /// entry.
  Async<void> ride(EntryPtr entry);
  /// The same for many; an error only if none was queued. Each entry holds its own outcome.
  Async<void> ride_all(std::span<const EntryPtr> entries, Grouping grouping);
  /// Calls entry->done once, on an I/O thread.
  void submit(const EntryPtr& entry);

 private:
  static void deliver(BatchEntry& entry) noexcept;
  std::vector<EntryPtr> grouped(std::span<const EntryPtr> entries, Grouping grouping) const;

  Runtime& runtime_;
  BatchEngine engine_;
};

}  // namespace aiserve::inline v0::detail
