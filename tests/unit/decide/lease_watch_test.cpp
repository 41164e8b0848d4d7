#include "decide/lease_watch.hpp"

#include <algorithm>
#include <map>
#include <random>

#include <doctest/doctest.h>

using namespace aiserve::decide;

TEST_CASE("a heartbeat is due after a third of the lease, and again soon while it has no answer") {
  LeaseWatch lease(12'000, 1'000);
  CHECK(lease.next_beat() == 5'000);
  lease.sent(5'000);
  CHECK(lease.next_beat() == 6'000);
  CHECK(lease.renewed(5'000, 5'500));
  CHECK(lease.next_beat() == 9'000);
}

TEST_CASE("a lease is lost a little before its end, counted from when the heartbeat was sent") {
  LeaseWatch lease(10'000, 1'000);
  CHECK_FALSE(lease.lost(10'499));
  CHECK(lease.lost(10'500));
  CHECK(lease.renewed(4'000, 9'000));
  CHECK(lease.lost_at() == 13'500);
}

TEST_CASE("an answer that comes too late, or out of order, extends nothing") {
  LeaseWatch lease(10'000, 1'000);
  CHECK(lease.renewed(6'000, 7'000));
  CHECK(lease.renewed(4'000, 8'000));
  CHECK(lease.lost_at() == 15'500);
  CHECK_FALSE(lease.renewed(12'000, 15'500));
  CHECK(lease.lost(15'500));
}

TEST_CASE("over random delays and losses the worker gives up before the store does") {
  std::mt19937_64 random(47);
  int lost = 0;
  int kept = 0;
  for (int world = 0; world < 3'000; ++world) {
    constexpr Nanos kLease = 10'000;
    const Nanos slowness = 1 + static_cast<Nanos>(random() % 8'000);
    Nanos stored_until = 200 + kLease;  // the store got the first one at 200
    LeaseWatch lease(kLease, 0);
    std::multimap<Nanos, Nanos> answers;  // when they come, when their heartbeat was sent
    for (Nanos now = 0; now < 60'000 && !lease.lost(now); now += 100) {
      while (!answers.empty() && answers.begin()->first <= now) {
        lease.renewed(answers.begin()->second, now);
        answers.erase(answers.begin());
      }
      CHECK(now < stored_until);
      if (now < lease.next_beat()) continue;
      lease.sent(now);
      if (random() % 3 == 0) continue;  // lost on the way
      const Nanos came = now + static_cast<Nanos>(random() % static_cast<std::uint64_t>(slowness));
      if (came < stored_until) stored_until = std::max(stored_until, came + kLease);
      if (random() % 3 == 0) continue;  // the answer was lost
      answers.emplace(came + static_cast<Nanos>(random() % static_cast<std::uint64_t>(slowness)),
                      now);
    }
    CHECK(lease.lost_at() < stored_until);
    ++(lease.lost_at() < 60'000 ? lost : kept);
  }
  CHECK(lost > 100);
  CHECK(kept > 100);
}
