#include "cache/entry_heap.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include "unit/cache/tier_fixture.hpp"

using namespace aiserve;
using detail::EntryHeap;

namespace {

struct Block {
  unsigned char* at;
  std::size_t size;

  void fill() const { std::memset(at, static_cast<int>(size % 251), size); }
  bool intact() const {
    return std::all_of(at, at + size, [&](unsigned char byte) { return byte == size % 251; });
  }
};

Block allocate(EntryHeap& heap, std::size_t size) {
  const Block block{static_cast<unsigned char*>(heap.allocate(size)), size};
  REQUIRE(block.at != nullptr);
  block.fill();
  return block;
}

}  // namespace

TEST_CASE("blocks of every size are aligned to 8 bytes and do not overlap") {
  const EntryHeap::Owner heap = EntryHeap::create();
  std::vector<Block> blocks;
  for (int round = 0; round < 3; ++round) {
    for (std::size_t size = 1; size <= EntryHeap::kLargest; ++size) {
      blocks.push_back(allocate(*heap, size));
    }
  }
  for (const Block& block : blocks) {
    CHECK(reinterpret_cast<std::uintptr_t>(block.at) % 8 == 0);
    CHECK(block.intact());
    heap->take_back(block.at);
  }
}

TEST_CASE("what is too large for the heap is left to malloc") {
  const EntryHeap::Owner heap = EntryHeap::create();
  CHECK(heap->allocate(EntryHeap::kLargest + 1) == nullptr);
  CHECK(heap->allocate(0) == nullptr);
  CHECK(heap->bytes() == 0);
}

TEST_CASE("regions without blocks go back to the system, all but one") {
  const EntryHeap::Owner heap = EntryHeap::create();
  std::vector<Block> blocks;
  blocks.reserve(30'000);
  for (int i = 0; i < 30'000; ++i) blocks.push_back(allocate(*heap, 328));
  CHECK(heap->bytes() > 30'000 * 328);
  CHECK(heap->bytes() < 30'000 * 340 + 4_MiB);
  for (const Block& block : blocks) heap->take_back(block.at);
  CHECK(heap->bytes() == 2_MiB);
}

TEST_CASE("memory of one size serves another when it is free") {
  const EntryHeap::Owner heap = EntryHeap::create();
  for (const std::size_t size : {64u, 2000u, 328u, 1000u}) {
    std::vector<Block> blocks;
    for (std::size_t bytes = 0; bytes < 8_MiB; bytes += size) {
      blocks.push_back(allocate(*heap, size));
    }
    CHECK(heap->bytes() <= 12_MiB);
    for (const Block& block : blocks) heap->take_back(block.at);
  }
}

TEST_CASE("blocks come and go in any order without harm to others") {
  const EntryHeap::Owner heap = EntryHeap::create();
  std::mt19937 random(1);
  std::vector<Block> blocks;
  std::size_t live = 0;
  for (int i = 0; i < 200'000; ++i) {
    const bool more = live < 1_MiB ? random() % 3 != 0 : random() % 3 == 0;
    if (more || blocks.empty()) {
      blocks.push_back(allocate(*heap, 1 + random() % (random() % 8 == 0 ? 2048 : 200)));
      live += blocks.back().size;
    } else {
      std::swap(blocks[random() % blocks.size()], blocks.back());
      REQUIRE(blocks.back().intact());
      live -= blocks.back().size;
      heap->take_back(blocks.back().at);
      blocks.pop_back();
    }
  }
  for (const Block& block : blocks) {
    CHECK(block.intact());
    heap->take_back(block.at);
  }
  CHECK(heap->bytes() == 2_MiB);
}

TEST_CASE("blocks outlive the owner of their heap") {
  EntryHeap::Owner heap = EntryHeap::create();
  EntryHeap& left = *heap;
  const Block a = allocate(left, 100);
  const Block b = allocate(left, 1000);
  heap.reset();
  CHECK(a.intact());
  left.take_back(a.at);
  CHECK(b.intact());
  left.take_back(b.at);
}

TEST_CASE("a value of a large cache outlives its entry and the cache") {
  Bytes kept;
  {
    testing::TierFixture at({.capacity = 64_MiB});
    REQUIRE(at.put(testing::kAcme, "k", "kept"));
    kept = at.tier.find(testing::kAcme, "k", at.now)->value;
    CHECK(kept.block_size() < 200);
    REQUIRE(at.put(testing::kAcme, "k", "other"));
  }
  CHECK(kept.text() == "kept");
}

TEST_CASE("arrays of every size lie beside blocks without harm, and are given back") {
  const EntryHeap::Owner heap = EntryHeap::create();
  CHECK(heap->allocate_array(1000) == nullptr);
  std::vector<Block> arrays;
  std::vector<Block> blocks;
  for (int round = 0; round < 3; ++round) {
    for (const std::size_t size : {16_KiB, 33_KiB, 180_KiB, 1_MiB, 2_MiB - 32_KiB, 2_MiB, 5_MiB}) {
      arrays.push_back({static_cast<unsigned char*>(heap->allocate_array(size)), size});
      REQUIRE(arrays.back().at != nullptr);
      CHECK(reinterpret_cast<std::uintptr_t>(arrays.back().at) % 64 == 0);
      arrays.back().fill();
      for (int i = 0; i < 200; ++i) blocks.push_back(allocate(*heap, 328));
    }
    heap->take_back_array(arrays.front().at, arrays.front().size);
    arrays.erase(arrays.begin());
  }
  for (const Block& block : blocks) {
    CHECK(block.intact());
    heap->take_back(block.at);
  }
  for (const Block& array : arrays) {
    CHECK(array.intact());
    heap->take_back_array(array.at, array.size);
  }
  CHECK(heap->bytes() == 2_MiB);
}
