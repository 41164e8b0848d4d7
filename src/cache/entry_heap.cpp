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

// Aligned to `size`: twice as much is asked for, and what sticks out is given back.
void* map_aligned(std::size_t size) noexcept {
  void* map = ::mmap(nullptr, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map == MAP_FAILED) return nullptr;
  auto* begin = static_cast<std::byte*>(map);
  const std::size_t before = (size - reinterpret_cast<std::uintptr_t>(begin) % size) % size;
  if (before > 0) ::munmap(begin, before);
  ::munmap(begin + before + size, size - before);
#ifdef MADV_HUGEPAGE
  ::madvise(begin + before, size, MADV_HUGEPAGE);  // a wish
#endif
  return begin + before;
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
    if (run.used == 0) free_run(region, run);
    if (!closed_ || blocks_ > 0) return;
  }
  delete this;
}

EntryHeap::Run* EntryHeap::open_run(std::size_t size_class) noexcept {
  Region* region = roomy_ != nullptr ? roomy_ : new_region();
  if (region == nullptr) return nullptr;
  if (region->free_runs == kAllRuns) --empty_regions_;
  const auto index = static_cast<std::size_t>(std::countr_zero(region->free_runs));
  region->free_runs &= region->free_runs - 1;
  if (region->free_runs == 0) unlink(*region);
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

void EntryHeap::free_run(Region& region, Run& run) noexcept {
  unlink(run);
  if (region.free_runs == 0) link(region);
  region.free_runs |= std::uint64_t{1} << (&run - region.runs.data());
  if (region.free_runs != kAllRuns) return;
  if (++empty_regions_ > kSpareRegions) {
    --empty_regions_;
    free_region(region);
  }
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
