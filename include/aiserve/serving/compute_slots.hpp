/// ComputeSlots: how many batches may run at the same time over several batchers, and whose turn it
/// is. For models that share the cores of one machine.
///
/// A Batcher given slots runs a batch only while it holds one. When more want one than there are,
/// the batcher that has computed least for its weight goes first (start-time fair queueing by
/// measured compute time), so a heavy model cannot starve a light one.
/// *Thread safety:* any thread. It must outlive the batchers that use it.
///
///     ComputeSlots slots(2);  // two cores
///     Batcher small(runtime, small_model, {.slots = &slots, .slots_weight = 3});
///     Batcher large(runtime, large_model, {.slots = &slots});
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace aiserve::inline v0 {

namespace detail {
class ComputeSlotsClient;
struct ComputeSlotsState;
}  // namespace detail

class ComputeSlots {
 public:
  /// 1 to 1024 slots; throws ConfigError.
  explicit ComputeSlots(int slots);
  ~ComputeSlots();
  ComputeSlots(const ComputeSlots&) = delete;
  ComputeSlots& operator=(const ComputeSlots&) = delete;

  int slots() const noexcept;
  /// Batches running in slots right now.
  int in_use() const noexcept;

 private:
  friend class detail::ComputeSlotsClient;
  std::unique_ptr<detail::ComputeSlotsState> state_;
};

}  // namespace aiserve::inline v0
