#include "decide/ghost_table.hpp"

#include <random>

#include <doctest/doctest.h>

using namespace aiserve::decide;

namespace {

struct Hashes {
  explicit Hashes(std::uint32_t seed) : engine(seed) {}
  std::uint32_t operator()() { return static_cast<std::uint32_t>(engine()); }
  std::mt19937 engine;
};

}  // namespace

TEST_CASE("a ghost is taken once") {
  GhostTable ghosts;
  ghosts.resize(100);
  ghosts.insert(0x12345678);
  CHECK_FALSE(ghosts.take(0x87654321));
  CHECK(ghosts.take(0x12345678));
  CHECK_FALSE(ghosts.take(0x12345678));
}

TEST_CASE("a table without a window remembers nothing") {
  GhostTable ghosts;
  ghosts.insert(1);
  CHECK_FALSE(ghosts.take(1));
  ghosts.resize(0);
  ghosts.insert(1);
  CHECK_FALSE(ghosts.take(1));
}

TEST_CASE("nearly all of the window is remembered, and nearly nothing of what was before") {
  for (const std::size_t window : {64u, 1000u, 50'000u}) {
    GhostTable ghosts;
    ghosts.resize(window);
    Hashes random(3);
    std::vector<std::uint32_t> hashes;
    for (std::size_t i = 0; i < 4 * window; ++i) {
      hashes.push_back(random());
      ghosts.insert(hashes.back());
    }
    std::size_t recent = 0;
    std::size_t old = 0;
    for (std::size_t i = 0; i < window / 2; ++i) {
      old += ghosts.take(hashes[i]) ? 1u : 0u;
      recent += ghosts.take(hashes[hashes.size() - 1 - i]) ? 1u : 0u;
    }
    CHECK(recent * 100 >= window / 2 * 95);
    CHECK(old * 100 <= window / 2 * 2);
  }
}

TEST_CASE("few fingerprints are taken for others") {
  GhostTable ghosts;
  ghosts.resize(10'000);
  Hashes random(4);
  for (int i = 0; i < 10'000; ++i) ghosts.insert(random());
  int wrong = 0;
  for (int i = 0; i < 100'000; ++i) wrong += ghosts.take(random()) ? 1 : 0;
  CHECK(wrong < 60);
}

TEST_CASE("the ticks of a table may wrap around") {
  GhostTable ghosts;
  ghosts.resize(64);
  for (std::uint32_t i = 0; i < 200'000; ++i) {
    const std::uint32_t hash = i * 2654435761u;
    ghosts.insert(hash);
    REQUIRE(ghosts.take(hash));
  }
}
