#include "cache/entry_heap.hpp"

#include <bit>
#include <mutex>
#include <new>

#include <sys/mman.h>

namespace aiserve::inline v0::detail {
namespace {

// Of regions without a block one is kept: the next block would ask for it again.
constexpr std::size_t kSpareRegions = 1;
constexpr std::uint64_t kAllRuns = ~std::uint64_t{0};
// Regions in which room for an array is looked for, before there is a new one.
constexpr std::size_t kMostLooks = 16;

// `count` is 1 to 63.
constexpr std::uint64_t runs_from(std::size_t first, std::size_t count) noexcept {
  return ((std::uint64_t{1} << count) - 1) << first;
}

// Aligned to a region: more is asked for, and what sticks out is given back.
void* map_aligned(std::size_t size) noexcept {
  void* map = ::mmap(nullptr, size + kPoolAlignment, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map == MAP_FAILED) return nullptr;
  auto* begin = static_cast<std::byte*>(map);
  const std::size_t before = -reinterpret_cast<std::uintptr_t>(begin) % kPoolAlignment;
  if (before > 0) ::munmap(begin, before);
  ::munmap(begin + before + size, kPoolAlignment - before);
#ifdef MADV_HUGEPAGE
  ::madvise(begin + before, size, MADV_HUGEPAGE);  // a wish
#endif
  return begin + before;
}

constexpr std::size_t regions_for(std::size_t bytes) noexcept {
  return (bytes + kPoolAlignment - 1) / kPoolAlignment * kPoolAlignment;
}

}  // namespace

// The pool comes first, as ByteBlock wants it. The first run begins behind this header.
struct EntryHeap::Region : PoolHeader {
  explicit Region(EntryHeap& heap) noexcept : PoolHeader{&heap} {}

  Region* prev = nullptr;
  Region* next = nullptr;
  std::uint64_t free_runs = kAllRuns;
  std::array<Run, kRuns> runs{};

  std::byte* begin(std::size_t run) noexcept {
    constexpr std::size_t kHeader = (sizeof(Region) + 63) / 64 * 64;
    return reinterpret_cast<std::byte*>(this) + (run == 0 ? kHeader : run * kRun);
  }
  std::byte* end(std::size_t run) noexcept {
    return reinterpret_cast<std::byte*>(this) + (run + 1) * kRun;
  }
  Run& run_of(const void* block) noexcept {
    return runs[reinterpret_cast<std::uintptr_t>(block) % kRegion / kRun];
  }
};

std::size_t EntryHeap::class_of(std::size_t size) noexcept {
  if (size <= kFine) return (size + 7) / 8;
  return kFine / 8 + (size - kFine + 63) / 64;
}

std::size_t EntryHeap::size_of(std::size_t size_class) noexcept {
  if (size_class <= kFine / 8) return size_class * 8;
  return kFine + (size_class - kFine / 8) * 64;
}

EntryHeap::Region& EntryHeap::region_of(const void* block) noexcept {
  const auto at = reinterpret_cast<std::uintptr_t>(block);
  return *reinterpret_cast<Region*>(at - at % kRegion);
}

bool EntryHeap::full(const Run& run) noexcept {
  return run.free == nullptr && run.rest + size_of(run.size_class) > run.end;
}

// Without blocks all regions have free runs.
EntryHeap::~EntryHeap() {
  while (roomy_ != nullptr) free_region(*roomy_);
}

void EntryHeap::close() noexcept {
  {
    const std::scoped_lock lock(lock_);
    closed_ = true;
    if (blocks_ > 0) return;
  }
  delete this;
}

void* EntryHeap::allocate(std::size_t size) noexcept {
  if (size == 0 || size > kLargest) return nullptr;
  const std::size_t size_class = class_of(size);
  const std::scoped_lock lock(lock_);
  Run* run = open_[size_class];
  if (run == nullptr) run = open_run(size_class);
  if (run == nullptr) return nullptr;
  void* block = run->free;
  if (block != nullptr) {
    run->free = run->free->next;
  } else {
    block = run->rest;
    run->rest += size_of(size_class);
  }
  ++run->used;
  ++blocks_;
  if (full(*run)) unlink(*run);
  return block;
}

void EntryHeap::take_back(void* block) noexcept {
  {
    const std::scoped_lock lock(lock_);
    Region& region = region_of(block);
    Run& run = region.run_of(block);
    if (full(run)) link(run);
    run.free = new (block) Free{run.free};
    --run.used;
    --blocks_;
    if (run.used == 0) {
      unlink(run);
      free_runs(region, std::uint64_t{1} << (&run - region.runs.data()));
    }
    if (!closed_ || blocks_ > 0) return;
  }
  delete this;
}

EntryHeap::Run* EntryHeap::open_run(std::size_t size_class) noexcept {
  Region* region = roomy_ != nullptr ? roomy_ : new_region();
  if (region == nullptr) return nullptr;
  const auto index = static_cast<std::size_t>(std::countr_zero(region->free_runs));
  claim(*region, std::uint64_t{1} << index);
  Run& run = region->runs[index];
  run = Run{.rest = region->begin(index),
            .end = region->end(index),
            .size_class = static_cast<std::uint32_t>(size_class)};
  link(run);
  return &run;
}

EntryHeap::Region* EntryHeap::new_region() noexcept {
  void* memory = map_aligned(kRegion);
  if (memory == nullptr) return nullptr;
  auto* region = new (memory) Region(*this);
  link(*region);
  ++regions_;
  ++empty_regions_;
  return region;
}

void EntryHeap::link(Region& region) noexcept {
  region.prev = nullptr;
  region.next = roomy_;
  if (roomy_ != nullptr) roomy_->prev = &region;
  roomy_ = &region;
}

void EntryHeap::unlink(Region& region) noexcept {
  (region.prev != nullptr ? region.prev->next : roomy_) = region.next;
  if (region.next != nullptr) region.next->prev = region.prev;
}

void EntryHeap::link(Run& run) noexcept {
  Run*& first = open_[run.size_class];
  run.prev = nullptr;
  run.next = first;
  if (first != nullptr) first->prev = &run;
  first = &run;
}

void EntryHeap::unlink(Run& run) noexcept {
  (run.prev != nullptr ? run.prev->next : open_[run.size_class]) = run.next;
  if (run.next != nullptr) run.next->prev = run.prev;
}

void EntryHeap::claim(Region& region, std::uint64_t runs) noexcept {
  if (region.free_runs == kAllRuns) --empty_regions_;
  region.free_runs &= ~runs;
  if (region.free_runs == 0) unlink(region);
}

void EntryHeap::free_runs(Region& region, std::uint64_t runs) noexcept {
  if (region.free_runs == 0) link(region);
  region.free_runs |= runs;
  if (region.free_runs != kAllRuns) return;
  if (++empty_regions_ > kSpareRegions) {
    --empty_regions_;
    free_region(region);
  }
}

// Side by side, but not the first of a region, which begins behind the header.
std::byte* EntryHeap::take_runs(std::size_t count) noexcept {
  Region* region = roomy_;
  for (std::size_t looked = 0; looked < kMostLooks; ++looked) {
    if (region == nullptr) break;
    std::uint64_t starts = region->free_runs & ~std::uint64_t{1};
    for (std::size_t i = 1; i < count; ++i) starts &= region->free_runs >> i;
    if (starts != 0) {
      const auto first = static_cast<std::size_t>(std::countr_zero(starts));
      claim(*region, runs_from(first, count));
      return region->begin(first);
    }
    region = region->next;
  }
  region = new_region();
  if (region == nullptr) return nullptr;
  claim(*region, runs_from(1, count));
  return region->begin(1);
}

void* EntryHeap::allocate_array(std::size_t bytes) noexcept {
  if (bytes < kRun / 2) return nullptr;
  if (bytes > kRegion - kRun) return map_aligned(regions_for(bytes));
  const std::scoped_lock lock(lock_);
  std::byte* array = take_runs((bytes + kRun - 1) / kRun);
  if (array != nullptr) ++blocks_;
  return array;
}

void EntryHeap::take_back_array(void* array, std::size_t bytes) noexcept {
  if (bytes > kRegion - kRun) {
    ::munmap(array, regions_for(bytes));
    return;
  }
  {
    const std::scoped_lock lock(lock_);
    const std::size_t first = reinterpret_cast<std::uintptr_t>(array) % kRegion / kRun;
    free_runs(region_of(array), runs_from(first, (bytes + kRun - 1) / kRun));
    --blocks_;
    if (!closed_ || blocks_ > 0) return;
  }
  delete this;
}

void EntryHeap::free_region(Region& region) noexcept {
  unlink(region);
  --regions_;
  ::munmap(&region, kRegion);
}

std::size_t EntryHeap::bytes() const noexcept {
  const std::scoped_lock lock(lock_);
  return regions_ * kRegion;
}

}  // namespace aiserve::inline v0::detail
