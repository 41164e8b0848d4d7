#include "tuner/load_result.hpp"

#include <doctest/doctest.h>

using namespace tuner;

TEST_CASE("outcomes are counted apart and only answers have a latency") {
  TenantResult tenant;
  tenant.count(Outcome::ok, 1000);
  tenant.count(Outcome::refused, 10);
  tenant.count(Outcome::expired, 500);
  tenant.count(Outcome::failed, 7);
  CHECK(tenant.ok == 1);
  CHECK(tenant.refused == 1);
  CHECK(tenant.expired == 1);
  CHECK(tenant.failed == 1);
  CHECK(tenant.answered() == 4);
  CHECK(tenant.latency.count() == 1);
  CHECK(tenant.refusal.count() == 2);
}

TEST_CASE("a result adds its tenants up") {
  LoadResult result;
  result.seconds = 2;
  result.tenants.resize(2);
  result.tenants[0].count(Outcome::ok, 100);
  result.tenants[1].count(Outcome::ok, 300);
  result.tenants[1].count(Outcome::ok, 300);
  CHECK(result.per_second() == 1.5);
  CHECK(result.all().latency.most() == 300);
  result.batches = 2;
  result.batched_rows = 3;
  CHECK(result.mean_batch() == 1.5);
}

TEST_CASE("a percentile is stable with 100 samples beyond it") {
  CHECK(stable(0.99, 10'000));
  CHECK_FALSE(stable(0.99, 9'000));
  CHECK(stable(0.5, 200));
}

TEST_CASE("an open loop that kept its schedule has nothing to say") {
  const SendProof proof{.offered_per_second = 1000,
                        .sent_per_second = 999.5,
                        .lag_p99 = 200'000,
                        .latency_p50 = 3'000'000};
  CHECK(proof.failure().empty());
}

TEST_CASE("a late sender fails the run and says by how much") {
  SendProof proof{.offered_per_second = 1000,
                  .sent_per_second = 1000,
                  .lag_p99 = 4'000'000,
                  .latency_p50 = 2'000'000};
  CHECK(proof.failure().find("more than 4 ms late (1 ms is allowed)") != std::string::npos);
  // Where answers take long anyway, a little lateness does not matter.
  proof.latency_p50 = 100'000'000;
  CHECK(proof.allowed_lag() == 5'000'000);
  CHECK(proof.failure().empty());
}

TEST_CASE("a sender that sent less than 99 percent fails unless the subject was overloaded") {
  SendProof proof{.offered_per_second = 1000, .sent_per_second = 950};
  CHECK(proof.failure() == "only 950 of 1000 requests/s were sent (95.0 %)");
  proof.overloaded = true;
  CHECK(proof.failure().empty());
}

TEST_CASE("batch sizes fall into classes by powers of two") {
  CHECK(size_class(1) == 0);
  CHECK(size_class(2) == 1);
  CHECK(size_class(3) == 2);
  CHECK(size_class(4) == 2);
  CHECK(size_class(5) == 3);
  CHECK(size_class(65'536) == 16);
  CHECK(size_class_name(0) == "1");
  CHECK(size_class_name(1) == "2");
  CHECK(size_class_name(2) == "3-4");
  CHECK(size_class_name(6) == "33-64");
}

TEST_CASE("a timeline counts what falls into its slices and nothing else") {
  Timeline timeline(1000, 10, 2);
  timeline.batch(0, 1);
  timeline.batch(999, 64);
  timeline.batch(-1, 4);
  timeline.batch(1000, 4);
  timeline.answered(250, 1);
  CHECK(timeline.slices().size() == 10);
  CHECK(timeline.slices()[0].batches[0] == 1);
  CHECK(timeline.slices()[9].batches[6] == 1);
  CHECK(timeline.slices()[2].answered[1] == 1);
  CHECK(timeline.largest_class() == 6);
}
