// EntryHeap: memory for entries and their index, out of regions of 2 MiB that lie in huge pages.
//
// Entries are met at random: in pages of 4 KiB nearly every one costs a walk through the page
// tables, too. A region is cut into runs of 32 KiB, a run into blocks of one size; a run without
// blocks may become one of another size, a region without runs goes back to the system.
//
// A block may be given back on any thread and after the owner has closed the heap, which ends with
// its last block.
// *Thread safety:* any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "cache/small_lock.hpp"
#include "core/byte_block.hpp"

namespace aiserve::inline v0::detail {

class EntryHeap final : public BlockPool {
 public:
  static constexpr std::size_t kLargest = 2048;

  struct Close {
    void operator()(EntryHeap* heap) const noexcept { heap->close(); }
  };
  using Owner = std::unique_ptr<EntryHeap, Close>;
  static Owner create() { return Owner(new EntryHeap()); }

  /// nullptr if `size` is above kLargest, or the system has no memory.
  void* allocate(std::size_t size) noexcept;
  void take_back(void* block) noexcept override;
  /// Aligned to 64 bytes, not cleared. nullptr if the system has no memory, or if it is too little
  /// to be worth a page of its own.
  void* allocate_array(std::size_t bytes) noexcept;
  void take_back_array(void* array, std::size_t bytes) noexcept;
  /// Of all regions.
  std::size_t bytes() const noexcept;

 private:
  // Up to kFine bytes in steps of 8, beyond in steps of 64.
  static constexpr std::size_t kFine = 512;
  static constexpr std::size_t kClasses = kFine / 8 + (kLargest - kFine) / 64 + 1;
  static constexpr std::size_t kRegion = kPoolAlignment;
  static constexpr std::size_t kRun = 32 * 1024;
  static constexpr std::size_t kRuns = kRegion / kRun;
  static_assert(kRuns == 64);

  struct Free {
    Free* next;
  };
  struct Run {
    Run* prev = nullptr;  // among the runs of its class that have room
    Run* next = nullptr;
    Free* free = nullptr;       // blocks that were given back
    std::byte* rest = nullptr;  // and those that were never given out
    std::byte* end = nullptr;
    std::uint32_t size_class = 0;
    std::uint32_t used = 0;  // blocks
  };
  struct Region;

  EntryHeap() = default;
  ~EntryHeap();
  void close() noexcept;

  static std::size_t class_of(std::size_t size) noexcept;
  static std::size_t size_of(std::size_t size_class) noexcept;
  static Region& region_of(const void* block) noexcept;
  static bool full(const Run& run) noexcept;

  Run* open_run(std::size_t size_class) noexcept;
  Region* new_region() noexcept;
  void link(Run& run) noexcept;
  void unlink(Run& run) noexcept;
  std::byte* take_runs(std::size_t count) noexcept;
  void claim(Region& region, std::uint64_t runs) noexcept;
  void free_runs(Region& region, std::uint64_t runs) noexcept;
  void link(Region& region) noexcept;
  void unlink(Region& region) noexcept;
  void free_region(Region& region) noexcept;

  mutable SmallLock lock_;
  bool closed_ = false;
  std::size_t blocks_ = 0;
  std::size_t empty_regions_ = 0;
  std::size_t regions_ = 0;
  Region* roomy_ = nullptr;  // regions that have free runs, linked
  std::array<Run*, kClasses> open_{};
};

}  // namespace aiserve::inline v0::detail
