#include <array>
#include <atomic>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "cache/entry_heap.hpp"

using namespace aiserve;
using detail::EntryHeap;

TEST_CASE("blocks may be given back by other threads than those that asked for them") {
  EntryHeap::Owner owner = EntryHeap::create();
  EntryHeap& heap = *owner;
  std::array<std::atomic<unsigned char*>, 256> shelf{};
  std::atomic<int> spoilt{0};
  const auto work = [&](unsigned seed) {
    std::mt19937 random(seed);
    for (int i = 0; i < 20'000; ++i) {
      const std::size_t size = 16 + random() % 1000;
      auto* block = static_cast<unsigned char*>(heap.allocate(size));
      std::memset(block, static_cast<int>(size % 251), size);
      std::memcpy(block, &size, sizeof(size));
      block = shelf[random() % shelf.size()].exchange(block);
      if (block == nullptr) continue;
      std::size_t its_size;
      std::memcpy(&its_size, block, sizeof(its_size));
      if (block[its_size - 1] != its_size % 251) ++spoilt;
      heap.take_back(block);
    }
  };
  std::vector<std::thread> threads;
  for (unsigned seed = 1; seed <= 4; ++seed) threads.emplace_back(work, seed);
  for (std::thread& thread : threads) thread.join();
  CHECK(spoilt == 0);
  owner.reset();  // the heap ends with the last block
  for (auto& block : shelf) {
    if (block != nullptr) heap.take_back(block);
  }
}
