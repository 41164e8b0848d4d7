#include "decide/bisection.hpp"

#include <set>

#include <doctest/doctest.h>

using aiserve::decide::Bisection;

namespace {

struct Outcome {
  std::set<std::size_t> failed;
  std::size_t runs = 0;
};

/// Runs a batch in which `poisoned` rows make every part fail that has one.
Outcome run(std::size_t rows, const std::set<std::size_t>& poisoned, std::size_t max_reruns) {
  Outcome outcome;
  Bisection parts(rows, max_reruns);
  while (const auto part = parts.next()) {
    ++outcome.runs;
    const auto first = poisoned.lower_bound(part->first);
    if (first == poisoned.end() || *first >= part->first + part->count) continue;
    if (parts.split(*part)) continue;
    for (std::size_t i = 0; i < part->count; ++i) outcome.failed.insert(part->first + i);
  }
  return outcome;
}

}  // namespace

TEST_CASE("one poisoned row fails alone, wherever it is") {
  for (std::size_t rows = 1; rows <= 65; ++rows) {
    for (std::size_t bad = 0; bad < rows; ++bad) {
      const Outcome outcome = run(rows, {bad}, 32);
      CHECK(outcome.failed == std::set<std::size_t>{bad});
      CHECK(outcome.runs <= 15);  // 1 + 2 * ceil(log2(65))
    }
  }
}

TEST_CASE("a batch that goes well runs once") {
  CHECK(run(64, {}, 32).runs == 1);
  CHECK(run(0, {}, 32).runs == 0);
}

TEST_CASE("the budget bounds the runs, and what is left over fails together") {
  const Outcome outcome = run(64, {0, 9, 18, 27, 36, 45, 54, 63}, 10);
  CHECK(outcome.runs == 11);
  for (const std::size_t bad : std::set<std::size_t>{0, 9, 18, 27, 36, 45, 54, 63})
    CHECK(outcome.failed.contains(bad));
  CHECK(outcome.failed.size() < 64);
}

TEST_CASE("without a budget a batch fails as a whole") {
  CHECK(run(8, {3}, 0).failed.size() == 8);
  CHECK(run(8, {3}, 0).runs == 1);
}
