#include "serving/slab.hpp"

#include <algorithm>
#include <random>

#include <doctest/doctest.h>

using aiserve::detail::Slab;

TEST_CASE("a slab is aligned to 64 bytes and kept from batch to batch") {
  Slab slab;
  const auto* first = slab.take(1000).data();
  CHECK(reinterpret_cast<std::uintptr_t>(first) % 64 == 0);
  for (int i = 0; i < 1000; ++i) CHECK(slab.take(900).data() == first);
  CHECK(slab.capacity() == 1000);
}

TEST_CASE("a slab that was over twice what 64 batches needed is given back") {
  Slab slab;
  slab.take(10'000);
  for (unsigned i = 1; i < 2 * Slab::kWindow; ++i) CHECK(slab.take(100).size() == 100);
  CHECK(slab.capacity() < 10'000);
  slab.take(100);
  CHECK(slab.capacity() == 100);
}

TEST_CASE("a slab that no batch needs any more is freed") {
  Slab slab;
  slab.take(10'000);
  for (unsigned i = 0; i < 2 * Slab::kWindow; ++i) slab.take(0);
  CHECK(slab.capacity() == 0);
}

TEST_CASE("half of what is there is no reason to allocate again") {
  Slab slab;
  const auto* data = slab.take(1000).data();
  for (int i = 0; i < 500; ++i) CHECK(slab.take(500).data() == data);
}

TEST_CASE("a slab holds at most twice what recent batches needed, whatever they were") {
  std::mt19937 random(7);
  Slab slab;
  std::vector<std::size_t> needs;
  for (int i = 0; i < 20'000; ++i) {
    const std::size_t scale = std::size_t{1} << (i / 500 % 18);
    needs.push_back(1 + random() % scale);
    const auto bytes = slab.take(needs.back());
    CHECK(bytes.size() == needs.back());
    std::fill(bytes.begin(), bytes.end(), std::byte{1});
    const std::size_t recent = std::min<std::size_t>(needs.size(), 2 * Slab::kWindow);
    const std::size_t most =
        *std::max_element(needs.end() - static_cast<long>(recent), needs.end());
    CHECK(slab.capacity() <= 2 * most + 1);
  }
}
