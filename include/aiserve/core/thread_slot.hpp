/// thread_slot(): a small number for the calling thread, which picks its cell in sharded counters.
///
/// The first 28 threads alive at once own a slot each: they count without a locked instruction.
/// Later ones share four. A slot goes to another thread when its owner ends; the hand-over
/// synchronises, so that plain loads and stores to a cell stay correct.
/// *Thread safety:* any thread. Internal: hosts use Counter, Gauge and Histogram.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace aiserve::inline v0::detail {

inline constexpr std::uint32_t kOwnedSlots = 28;
inline constexpr std::uint32_t kSlots = 32;
inline constexpr std::uint32_t kNoSlot = 0xffffffff;

inline thread_local constinit std::uint32_t this_thread_slot = kNoSlot;
std::uint32_t assign_thread_slot() noexcept;

inline std::uint32_t thread_slot() noexcept {
  const std::uint32_t slot = this_thread_slot;
  return slot != kNoSlot ? slot : assign_thread_slot();
}

/// Adds to a cell of slot `slot`, which must be the calling thread's.
template <class Number>
void add_to_cell(std::atomic<Number>& cell, std::uint32_t slot, Number n) noexcept {
  if (slot < kOwnedSlots) {
    cell.store(cell.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  } else {
    cell.fetch_add(n, std::memory_order_relaxed);
  }
}

}  // namespace aiserve::inline v0::detail
