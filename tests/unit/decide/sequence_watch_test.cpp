#include "decide/sequence_watch.hpp"

#include <doctest/doctest.h>

using namespace aiserve::decide;
using Verdict = SequenceWatch::Verdict;

TEST_CASE("messages in order apply, repeated ones don't") {
  SequenceWatch watch(10, 100);
  CHECK(watch.message(1, 1, 0) == Verdict::apply);
  CHECK(watch.message(1, 2, 0) == Verdict::apply);
  CHECK(watch.message(1, 2, 0) == Verdict::ignore);
  CHECK(watch.message(1, 1, 0) == Verdict::ignore);
  CHECK(watch.message(2, 1, 0) == Verdict::apply);
  CHECK(watch.message(1, 3, 0) == Verdict::apply);
}

TEST_CASE("a skipped message is a gap, once") {
  SequenceWatch watch(10, 100);
  CHECK(watch.message(1, 1, 0) == Verdict::apply);
  CHECK(watch.message(1, 3, 0) == Verdict::gap);
  CHECK(watch.message(1, 2, 0) == Verdict::ignore);
  CHECK(watch.message(1, 4, 0) == Verdict::apply);
  CHECK(watch.message(1, UINT64_MAX, 0) == Verdict::gap);
  CHECK(watch.message(1, 0, 0) == Verdict::ignore);
}

TEST_CASE("a beat tells of a message that was lost at the end") {
  SequenceWatch watch(10, 100);
  CHECK(watch.beat(1, 0, 0) == Verdict::ignore);
  CHECK(watch.message(1, 1, 0) == Verdict::apply);
  CHECK(watch.beat(1, 1, 0) == Verdict::ignore);
  CHECK(watch.beat(1, 2, 0) == Verdict::gap);
  CHECK(watch.beat(1, 2, 0) == Verdict::ignore);
  CHECK(watch.message(1, 3, 0) == Verdict::apply);
}

TEST_CASE("a sender that is heard first in the middle is a gap") {
  SequenceWatch watch(10, 100);
  CHECK(watch.message(1, 7, 0) == Verdict::gap);
  CHECK(watch.beat(2, 7, 0) == Verdict::gap);
  CHECK(watch.message(1, 8, 0) == Verdict::apply);
}

TEST_CASE("a sender that falls silent is a gap, once; one that says farewell is none") {
  SequenceWatch watch(10, 100);
  CHECK(watch.message(1, 1, 0) == Verdict::apply);
  CHECK(watch.message(2, 1, 0) == Verdict::apply);
  CHECK(watch.beat(2, 1, 90) == Verdict::ignore);
  CHECK_FALSE(watch.silence(100));
  CHECK(watch.silence(101));
  CHECK_FALSE(watch.silence(101));
  CHECK(watch.farewell(2, 1, 150) == Verdict::ignore);
  CHECK(watch.farewell(2, 1, 160) == Verdict::ignore);
  CHECK_FALSE(watch.silence(1000));
  CHECK(watch.senders() == 0);
}

TEST_CASE("a farewell tells of what was lost before it") {
  SequenceWatch watch(10, 100);
  CHECK(watch.message(1, 1, 0) == Verdict::apply);
  CHECK(watch.farewell(1, 2, 0) == Verdict::gap);
}

TEST_CASE("who speaks after a farewell is there again") {
  SequenceWatch watch(10, 100);
  CHECK(watch.message(1, 1, 0) == Verdict::apply);
  CHECK(watch.farewell(1, 1, 0) == Verdict::ignore);
  CHECK(watch.message(1, 2, 50) == Verdict::apply);
  CHECK(watch.silence(151));
}

TEST_CASE("a clock that steps back makes nobody silent") {
  SequenceWatch watch(10, 100);
  CHECK(watch.message(1, 1, 500) == Verdict::apply);
  CHECK_FALSE(watch.silence(0));
  CHECK_FALSE(watch.silence(-1000));
  CHECK(watch.message(1, 2, 0) == Verdict::apply);
}

TEST_CASE("senders are bounded: too many are forgotten, which costs gaps only") {
  SequenceWatch watch(3, 100);
  for (const std::uint64_t sender : {1u, 2u, 3u, 4u}) {
    CHECK(watch.message(sender, 1, 0) == Verdict::apply);
    CHECK(watch.senders() <= 3);
  }
  CHECK(watch.message(4, 2, 0) == Verdict::apply);
  CHECK(watch.message(2, 2, 0) == Verdict::gap);
}
