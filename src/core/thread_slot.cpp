#include "aiserve/core/thread_slot.hpp"

#include <bit>

namespace aiserve::inline v0::detail {
namespace {

constexpr std::uint32_t kAllFree = (1u << kOwnedSlots) - 1;

// Which slots have no owner, over all threads of the process. It says nothing about the program:
// the one piece of state that is not in an object of the host.
constinit std::atomic<std::uint32_t> free_slots{kAllFree};
constinit std::atomic<std::uint32_t> next_shared{0};

std::uint32_t shared_slot() noexcept {
  return kOwnedSlots + next_shared.fetch_add(1, std::memory_order_relaxed) % (kSlots - kOwnedSlots);
}

std::uint32_t take_slot() noexcept {
  std::uint32_t free = free_slots.load(std::memory_order_relaxed);
  while (free != 0) {
    const std::uint32_t rest = free & (free - 1);
    if (free_slots.compare_exchange_weak(free, rest, std::memory_order_acquire)) {
      return static_cast<std::uint32_t>(std::countr_zero(free));
    }
  }
  return shared_slot();
}

// Gives the slot back when the thread ends. Destructors that run later count in a shared slot.
struct SlotOwner {
  ~SlotOwner() {
    const std::uint32_t slot = this_thread_slot;
    this_thread_slot = shared_slot();
    if (slot < kOwnedSlots) free_slots.fetch_or(1u << slot, std::memory_order_release);
  }
};

}  // namespace

std::uint32_t assign_thread_slot() noexcept {
  thread_local SlotOwner owner;
  static_cast<void>(owner);
  this_thread_slot = take_slot();
  return this_thread_slot;
}

}  // namespace aiserve::inline v0::detail
