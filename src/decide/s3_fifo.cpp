#include "decide/s3_fifo.hpp"

namespace aiserve::inline v0::decide {
namespace {

// A queue of a few entries is no filter: what it holds leaves before it can be asked for twice.
constexpr std::size_t kLeastSmallEntries = 8;

}  // namespace

FifoQueue queue_to_evict(const FifoSizes& sizes) noexcept {
  if (sizes.main_entries == 0) return FifoQueue::small;
  if (sizes.small_entries <= kLeastSmallEntries) return FifoQueue::main;
  const bool over_a_tenth = sizes.small_bytes >= (sizes.small_bytes + sizes.main_bytes) / 10;
  return over_a_tenth ? FifoQueue::small : FifoQueue::main;
}

Verdict judge(FifoQueue queue, FifoMarks marks) noexcept {
  if (queue == FifoQueue::small) {
    if (marks.hits > 1) return {Fate::promote, {0, marks.laps}};
    if (marks.laps > 0) return {Fate::promote, {0, static_cast<std::uint8_t>(marks.laps - 1)}};
    return {Fate::evict, marks};
  }
  if (marks.hits > 0) return {Fate::again, {static_cast<std::uint8_t>(marks.hits - 1), marks.laps}};
  if (marks.laps > 0) return {Fate::again, {0, static_cast<std::uint8_t>(marks.laps - 1)}};
  return {Fate::evict, marks};
}

}  // namespace aiserve::inline v0::decide
