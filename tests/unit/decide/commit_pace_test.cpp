#include "decide/commit_pace.hpp"

#include <doctest/doctest.h>

using aiserve::decide::CommitPace;

TEST_CASE("a writer that has committed nothing begins with the first write") {
  const CommitPace pace;
  CHECK(pace.expected() == 1);
  CHECK(pace.until() <= 0);
}

TEST_CASE("after a commit of many the writer waits for as many, at most half of what it took") {
  CommitPace pace;
  pace.committed(64, 1'000'000, 5'000'000);
  CHECK(pace.expected() == 64);
  CHECK(pace.until() == 5'500'000);
}

TEST_CASE("a few producers do not wait for each other") {
  CommitPace pace;
  pace.committed(3, 1'000'000, 0);
  CHECK(pace.expected() == 1);
}

TEST_CASE("on a slow disk the writer waits no longer than 2 ms") {
  CommitPace pace;
  pace.committed(64, 80'000'000, 0);
  CHECK(pace.until() == 2'000'000);
}

TEST_CASE("one slow commit does not make the next ones wait for long") {
  CommitPace pace;
  for (int i = 0; i < 50; ++i) pace.committed(64, 400'000, 0);
  pace.committed(64, 2'000'000, 0);
  CHECK(pace.until() == 300'000);
}

TEST_CASE("when fewer come back the next wait is for those only") {
  CommitPace pace;
  pace.committed(64, 400'000, 0);
  pace.committed(10, 400'000, 1'000'000);
  CHECK(pace.expected() == 10);
}
