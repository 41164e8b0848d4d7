#include "decide/order_line.hpp"

#include <deque>

#include <doctest/doctest.h>

#include "support/campaign.hpp"

using namespace aiserve::decide;
using aiserve::testing::Dice;

TEST_CASE("as many jobs of an order key have a turn as they say, the rest wait with their number") {
  OrderLine line;
  CHECK(join(line, 2) == 0);
  CHECK(join(line, 2) == 0);
  CHECK(join(line, 2) == 2);
  CHECK(line.in_turn == 2);
  CHECK(line.waits);
}

TEST_CASE("a new job goes behind those that wait, whatever it says") {
  OrderLine line{.in_turn = 1, .waits = true};
  CHECK(join(line, 1'000) == 1'000);
  CHECK(line.in_turn == 1);
}

TEST_CASE("the first in line says how many have a turn when one has ended") {
  CHECK(room({.in_turn = 1, .waits = true}, 4) == 3);
  CHECK(room({.in_turn = 4, .waits = true}, 4) == 0);
  CHECK(room({.in_turn = 4, .waits = true}, 1) == 0);
  CHECK(room({.in_turn = 0, .waits = true}, 1) == 1);
}

TEST_CASE("a redriven job has a turn if nobody has one, else when one of them ends") {
  OrderLine idle;
  CHECK(rejoin(idle) == 0);
  CHECK(idle.in_turn == 1);
  OrderLine busy{.in_turn = 3};
  const int blocked = rejoin(busy);
  CHECK(busy.waits);
  CHECK(room(busy, blocked) == 0);
  --busy.in_turn;
  CHECK(room(busy, blocked) == 1);
}

namespace {

/// A line of an order key, driven by chance.
class Key {
 public:
  explicit Key(std::uint64_t seed) : dice_(seed) {}

  void act() {
    switch (dice_.roll(5)) {
      case 0:
      case 1:
        return enqueue();
      case 2:
        return cancel();
      case 3:
        if (dice_.once_in(5)) redrive();
        return;
      default:
        return end();
    }
  }
  void check() const {
    CHECK(line_.in_turn == static_cast<std::int64_t>(turns_));
    CHECK(line_.waits == !waiting_.empty());
    if (!waiting_.empty()) CHECK(turns_ > 0);
  }

 private:
  void enqueue() {
    const int most = 1 + dice_.roll(4);
    const std::size_t before = turns_;
    const int blocked = join(line_, most);
    if (blocked == 0) {
      ++turns_;
      CHECK(waiting_.empty());
      CHECK(before < static_cast<std::size_t>(most));
    } else {
      CHECK(blocked == most);
      waiting_.push_back(most);
    }
  }
  void redrive() {
    const int blocked = rejoin(line_);
    if (blocked == 0) {
      ++turns_;
      return;
    }
    CHECK(static_cast<std::size_t>(blocked) == turns_);
    waiting_.push_front(blocked);
  }
  void cancel() {
    if (waiting_.empty()) return;
    waiting_.erase(waiting_.begin() + dice_.roll(static_cast<int>(waiting_.size())));
    line_.waits = !waiting_.empty();
  }
  void end() {
    if (turns_ == 0) return;
    --turns_;
    --line_.in_turn;
    std::int64_t left = waiting_.empty() ? 0 : room(line_, waiting_.front());
    for (; left > 0 && !waiting_.empty() && has_turn(line_, waiting_.front()); --left) {
      CHECK(turns_ < static_cast<std::size_t>(waiting_.front()));
      waiting_.pop_front();
      ++turns_;
      ++line_.in_turn;
    }
    line_.waits = !waiting_.empty();
  }

  Dice dice_;
  OrderLine line_;
  std::deque<int> waiting_;  // what they say
  std::size_t turns_ = 0;
};

}  // namespace

TEST_CASE("whoever waits for a turn, somebody has one, and nobody has it beside too many") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    Key key(seed);
    for (int i = 0; i < 200; ++i) {
      key.act();
      key.check();
    }
  }
}
