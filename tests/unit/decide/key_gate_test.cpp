#include "decide/key_gate.hpp"

#include <algorithm>
#include <deque>
#include <random>
#include <vector>

#include <doctest/doctest.h>

using aiserve::decide::KeyGate;

TEST_CASE("with a width of one the next may run when the one before has its outcome") {
  KeyGate gate;
  CHECK(gate.enter(1));
  CHECK_FALSE(gate.enter(1));
  CHECK_FALSE(gate.enter(1));
  CHECK(gate.admit(1) == 0);
  gate.leave();
  CHECK(gate.admit(1) == 1);
  CHECK(gate.admit(1) == 0);
  CHECK(gate.waiting == 1);
}

TEST_CASE("nobody enters past those that wait, even after the gate became wider") {
  KeyGate gate;
  CHECK(gate.enter(1));
  CHECK_FALSE(gate.enter(1));
  CHECK_FALSE(gate.enter(5));
  CHECK(gate.admit(5) == 2);
  CHECK(gate.enter(5));
}

TEST_CASE("a gate that became narrower admits nobody until enough have left") {
  KeyGate gate;
  for (int i = 0; i < 3; ++i) CHECK(gate.enter(3));
  CHECK_FALSE(gate.enter(1));
  gate.leave();
  gate.leave();
  CHECK(gate.admit(1) == 0);
  gate.leave();
  CHECK(gate.admit(1) == 1);
}

TEST_CASE("over random traces jobs of a key enter in the order they came, no more than its width") {
  std::mt19937_64 random(29);
  for (int world = 0; world < 2'000; ++world) {
    const std::size_t width = 1 + random() % 3;
    KeyGate gate;
    std::deque<int> waiting;
    std::vector<int> inside;
    int came = 0;
    int entered = 0;
    const auto enter = [&](int job) {
      CHECK(job >= entered);
      entered = job;
      inside.push_back(job);
      CHECK(inside.size() <= width);
    };
    const auto admit = [&] {
      for (std::size_t n = gate.admit(width); n > 0; --n) {
        enter(waiting.front());
        waiting.pop_front();
      }
    };
    for (int i = 0; i < 100; ++i) {
      const std::uint64_t dice = random() % 5;
      if (dice < 2) {
        const int job = came++;
        gate.enter(width) ? enter(job) : waiting.push_back(job);
      } else if (dice < 4 && !inside.empty()) {
        inside.erase(inside.begin() + static_cast<std::ptrdiff_t>(random() % inside.size()));
        gate.leave();
      } else if (dice == 4 && !waiting.empty()) {
        waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(random() % waiting.size()));
        gate.give_up();
      }
      admit();
      CHECK(gate.inside == inside.size());
      CHECK(gate.waiting == waiting.size());
      if (!waiting.empty()) CHECK(inside.size() == width);
    }
  }
}
