#include "decide/backoff.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>

#include <doctest/doctest.h>

using namespace aiserve::decide;

namespace {

constexpr BackoffPolicy kPolicy{.base = 1'000, .cap = 60'000, .factor = 2, .longest_wait = 500'000};

}  // namespace

TEST_CASE("the ceiling grows by the factor with every failure until it is capped") {
  CHECK(backoff_ceiling(kPolicy, 1) == 1'000);
  CHECK(backoff_ceiling(kPolicy, 2) == 2'000);
  CHECK(backoff_ceiling(kPolicy, 6) == 32'000);
  CHECK(backoff_ceiling(kPolicy, 7) == 60'000);
  CHECK(backoff_ceiling(kPolicy, UINT32_MAX) == 60'000);
  CHECK(backoff_ceiling(kPolicy, 0) == 1'000);
}

TEST_CASE("a policy without pauses stays without them, however many failures") {
  const BackoffPolicy none{.base = 0, .cap = 10};
  CHECK(backoff_ceiling(none, UINT32_MAX) == 0);
  CHECK(retry_at(none, UINT32_MAX, 0, 77, UINT64_MAX) == 77);
}

TEST_CASE("full jitter spreads evenly from nothing to the ceiling") {
  CHECK(full_jitter(kPolicy, 3, 0) == 0);
  CHECK(full_jitter(kPolicy, 3, UINT64_MAX) == 3'999);
  CHECK(full_jitter(kPolicy, 3, std::uint64_t{1} << 63) == 2'000);
  std::mt19937_64 random(1);
  std::array<int, 4> quarters{};
  for (int i = 0; i < 40'000; ++i) {
    const Nanos pause = full_jitter(kPolicy, 3, random());
    ++quarters[static_cast<std::size_t>(pause / 1'000)];
  }
  for (const int count : quarters) CHECK(std::abs(count - 10'000) < 400);
}

TEST_CASE("what a failure asks for is waited in full, then the jitter, but never without bound") {
  CHECK(retry_at(kPolicy, 1, 5'000, 100, 0) == 5'100);
  CHECK(retry_at(kPolicy, 1, 5'000, 100, UINT64_MAX) == 6'099);
  CHECK(retry_at(kPolicy, 1, -5'000, 100, 0) == 100);
  CHECK(retry_at(kPolicy, 1, kNever, 100, 0) == 500'100);
}

TEST_CASE("over random policies a retry is never before now or after the sum of the caps") {
  std::mt19937_64 random(7);
  const auto up_to = [&random](Nanos most) { return static_cast<Nanos>(random() >> 1) % most; };
  for (int i = 0; i < 20'000; ++i) {
    BackoffPolicy policy;
    policy.base = up_to(1'000'000);
    policy.cap = policy.base + up_to(kNever / 4);
    policy.factor = 1 + static_cast<double>(up_to(1'000)) / 100;
    policy.longest_wait = up_to(kNever / 4);
    const auto failures = static_cast<std::uint32_t>(random() % 5'000);
    const Nanos now = up_to(kNever / 4);
    const Nanos at = retry_at(policy, failures, up_to(kNever), now, random());
    CHECK(at >= now);
    CHECK(at <= now + policy.longest_wait + policy.cap);
    CHECK(backoff_ceiling(policy, failures) <= backoff_ceiling(policy, failures + 1));
  }
}

TEST_CASE("a retry near the end of time saturates") {
  CHECK(retry_at(kPolicy, 5, kNever, kNever - 10, UINT64_MAX) == kNever);
}
