#include "decide/s3_fifo.hpp"

#include <doctest/doctest.h>

using namespace aiserve::decide;

TEST_CASE("the small queue gives while it has a tenth of the bytes or more") {
  CHECK(queue_to_evict({100, 50, 900, 50}) == FifoQueue::small);
  CHECK(queue_to_evict({98, 50, 902, 50}) == FifoQueue::main);
  CHECK(queue_to_evict({1000, 50, 0, 0}) == FifoQueue::small);
  CHECK(queue_to_evict({0, 0, 900, 50}) == FifoQueue::main);
}

TEST_CASE("a tiny small queue gives nothing while there is another") {
  CHECK(queue_to_evict({500, 8, 500, 8}) == FifoQueue::main);
  CHECK(queue_to_evict({500, 9, 500, 8}) == FifoQueue::small);
  CHECK(queue_to_evict({500, 8, 0, 0}) == FifoQueue::small);
}

TEST_CASE("what was asked for twice in the small queue is promoted, with no hits left") {
  CHECK(judge(FifoQueue::small, {0, 0}).fate == Fate::evict);
  CHECK(judge(FifoQueue::small, {1, 0}).fate == Fate::evict);
  const Verdict verdict = judge(FifoQueue::small, {2, 0});
  CHECK(verdict.fate == Fate::promote);
  CHECK(verdict.marks == FifoMarks{0, 0});
}

TEST_CASE("in the main queue every hit is one more round") {
  FifoMarks marks{kMostHits, 0};
  int rounds = 0;
  for (Verdict verdict = judge(FifoQueue::main, marks); verdict.fate == Fate::again;
       verdict = judge(FifoQueue::main, marks)) {
    marks = verdict.marks;
    ++rounds;
  }
  CHECK(rounds == 3);
}

TEST_CASE("a lap stands in for a hit, once") {
  const Verdict promoted = judge(FifoQueue::small, {0, 2});
  CHECK(promoted.fate == Fate::promote);
  CHECK(promoted.marks == FifoMarks{0, 1});
  const Verdict again = judge(FifoQueue::main, promoted.marks);
  CHECK(again.fate == Fate::again);
  CHECK(judge(FifoQueue::main, again.marks).fate == Fate::evict);
}

TEST_CASE("hits are used up before laps") {
  CHECK(judge(FifoQueue::main, {1, 1}).marks == FifoMarks{0, 1});
  CHECK(judge(FifoQueue::small, {3, 1}).marks == FifoMarks{0, 1});
}
