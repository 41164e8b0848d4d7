#include "decide/batch_decision.hpp"

#include <doctest/doctest.h>

using namespace aiserve::decide;

TEST_CASE("a free instance sleeps only when nobody waits") {
  for (std::size_t waiting = 0; waiting < 500; ++waiting) {
    for (const std::size_t max_batch : {1u, 2u, 7u, 64u}) {
      const BatchDecision decision = decide_batch({waiting}, {max_batch});
      CHECK((decision.action == BatchAction::sleep) == (waiting == 0));
      CHECK(decision.rows == std::min(waiting, max_batch));
    }
  }
}

TEST_CASE("instances that are free at the same time share what waits, and leave nothing behind") {
  for (std::size_t takers = 1; takers <= 5; ++takers) {
    for (std::size_t waiting = 1; waiting <= 200; ++waiting) {
      std::size_t left = waiting;
      std::size_t most = 0;
      std::size_t least = waiting;
      for (std::size_t i = takers; i > 0 && left != 0; --i) {
        const BatchDecision decision = decide_batch({left, i}, {64});
        CHECK(decision.action == BatchAction::run);
        most = std::max(most, decision.rows);
        least = std::min(least, decision.rows);
        left -= decision.rows;
      }
      CHECK(left == (waiting > takers * 64 ? waiting - takers * 64 : 0));
      CHECK(most - least <= 1);
    }
  }
}

TEST_CASE("a batch is called full when no more rows fit, else idle") {
  CHECK(decide_batch({64}, {64}).reason == BatchReason::full);
  CHECK(decide_batch({65}, {64}).reason == BatchReason::full);
  CHECK(decide_batch({63}, {64}).reason == BatchReason::idle);
  CHECK(decide_batch({1}, {64}).reason == BatchReason::idle);
}

TEST_CASE("a request beside a free instance is predicted not to wait") {
  CHECK(predict_wait_ns(0, 0, 1, 8, 1000) == 0);
  CHECK(predict_wait_ns(0, 1, 2, 8, 1000) == 0);
}

TEST_CASE("the predicted wait grows with the batches before it and shrinks with instances") {
  CHECK(predict_wait_ns(0, 1, 1, 8, 1000) == 1000);
  CHECK(predict_wait_ns(7, 1, 1, 8, 1000) == 1000);
  CHECK(predict_wait_ns(8, 1, 1, 8, 1000) == 2000);
  CHECK(predict_wait_ns(16, 2, 2, 8, 1000) == 2000);
  CHECK(predict_wait_ns(16, 4, 4, 8, 1000) == 1000);
  std::uint64_t last = 0;
  for (std::size_t waiting = 0; waiting < 1000; ++waiting) {
    const std::uint64_t wait = predict_wait_ns(waiting, 2, 2, 16, 1000);
    CHECK(wait >= last);
    last = wait;
  }
}
