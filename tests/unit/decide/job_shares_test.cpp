#include "decide/job_shares.hpp"

#include <cmath>
#include <limits>
#include <string>

#include <doctest/doctest.h>

using aiserve::decide::JobShares;

TEST_CASE("a job is charged the mean of its kind, or of all kinds, or one unit") {
  JobShares shares;
  CHECK(shares.expected_cost("render") == 1);
  shares.settled("acme", "render", 0, 4);
  shares.settled("acme", "render", 0, 6);
  CHECK(shares.expected_cost("render") == 5);
  shares.settled("acme", "mail", 0, 2);
  CHECK(shares.expected_cost("mail") == 2);
  CHECK(shares.expected_cost("new") == 4);
}

TEST_CASE("a mean follows a kind whose jobs become dearer") {
  JobShares shares;
  for (int i = 0; i < 1'000; ++i) shares.settled("acme", "render", 0, 1);
  for (int i = 0; i < 150; ++i) shares.settled("acme", "render", 0, 9);
  CHECK(shares.expected_cost("render") > 8.5);
}

TEST_CASE("a start is charged per weight, a settlement corrects it to what was measured") {
  JobShares shares;
  shares.wake("acme", 2);
  shares.settled("other", "render", 0, 4);
  const double charged = shares.started("acme", "render");
  CHECK(charged == 4);
  CHECK(shares.tag("acme") == 2);
  shares.settled("acme", "render", charged, 10);
  CHECK(shares.tag("acme") == 5);
}

TEST_CASE("a job that did not run is refunded in full") {
  JobShares shares;
  shares.wake("acme", 1);
  shares.returned("acme", shares.started("acme", "render"));
  CHECK(shares.tag("acme") == 0);
  shares.returned("nobody", 5);
  CHECK(shares.tag("nobody") == 0);
}

TEST_CASE("measurements that are no costs change nothing") {
  JobShares shares;
  shares.wake("acme", 1);
  const double charged = shares.started("acme", "render");
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double wrong : {0.0, -1.0, infinity, -infinity, std::nan("")}) {
    shares.settled("acme", "render", charged, wrong);
  }
  CHECK(shares.tag("acme") == charged);
  CHECK(shares.expected_cost("render") == 1);
}

TEST_CASE("who comes back from idleness starts at the virtual time, not at its old tag") {
  JobShares shares;
  shares.wake("busy", 1);
  for (int i = 0; i < 10; ++i) shares.started("busy", "render");
  shares.wake("new", 1);
  CHECK(shares.tag("new") == 9);
  shares.rest("new");
  for (int i = 0; i < 10; ++i) shares.started("busy", "render");
  shares.wake("new", 1);
  CHECK(shares.tag("new") == 19);
}

TEST_CASE("who is awake keeps what it is behind, who was ahead stays ahead over a pause") {
  JobShares shares;
  shares.wake("behind", 1);
  shares.wake("ahead", 1);
  for (int i = 0; i < 5; ++i) shares.started("ahead", "render");
  shares.wake("behind", 1);
  CHECK(shares.tag("behind") == 0);
  shares.rest("ahead");
  shares.wake("ahead", 1);
  CHECK(shares.tag("ahead") == 5);
}

TEST_CASE("who is not woken during a round rests at its end") {
  JobShares shares;
  shares.wake("busy", 1);
  shares.wake("quiet", 1);
  shares.end_round();
  shares.wake("busy", 1);
  shares.end_round();
  for (int i = 0; i < 3; ++i) shares.started("busy", "render");
  shares.wake("quiet", 1);
  CHECK(shares.tag("quiet") == 2);
}

TEST_CASE("tenants that come and go are forgotten, those far ahead last") {
  JobShares shares;
  shares.settled("somebody", "render", 0, 1);
  shares.wake("greedy", 1);
  shares.settled("greedy", "film", shares.started("greedy", "film"), 1'000);
  shares.rest("greedy");
  for (std::size_t i = 0; i < 4 * JobShares::kMaxIdle; ++i) {
    const std::string name = "tenant" + std::to_string(i);
    shares.wake(name, 1);
    shares.started(name, "render");
    shares.rest(name);
    CHECK(shares.size() <= JobShares::kMaxIdle + 1);
  }
  CHECK(shares.tag("greedy") == 1'000);
}

TEST_CASE("a first job that was charged too much does not put those who come later behind") {
  JobShares shares;
  shares.wake("early", 1);
  const double charged = shares.started("early", "kind");  // 1: nothing is known
  static_cast<void>(shares.started("early", "kind"));
  shares.settled("early", "kind", charged, 0.01);
  shares.settled("early", "kind", charged, 0.01);
  shares.wake("late", 1);
  CHECK(shares.tag("late") == doctest::Approx(shares.tag("early")));
}
