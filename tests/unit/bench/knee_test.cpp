#include "tuner/knee.hpp"

#include <doctest/doctest.h>

using namespace tuner;

namespace {

SweepPoint saturated(Setting setting, double per_second) {
  SweepPoint point;
  point.setting = setting;
  point.per_second = per_second;
  return point;
}

SweepPoint loaded(Setting setting, double per_second, double p99_ns, double refused = 0) {
  SweepPoint point = saturated(setting, per_second);
  point.p99_ns = p99_ns;
  point.refused_share = refused;
  return point;
}

}  // namespace

TEST_CASE("the knee is the smallest batch within 2 percent of the best") {
  const auto knee = find_knee({saturated({1, 1, 1}, 2500), saturated({16, 1, 1}, 11000),
                               saturated({32, 1, 1}, 12900), saturated({64, 1, 1}, 13000),
                               saturated({128, 1, 1}, 12990)});
  REQUIRE(knee);
  CHECK(knee->setting == Setting{32, 1, 1});
}

TEST_CASE("where batching hurts the knee is one row") {
  const auto knee = find_knee({saturated({1, 1, 1}, 100), saturated({8, 1, 1}, 91)});
  REQUIRE(knee);
  CHECK(knee->setting.max_batch == 1);
}

TEST_CASE("of equals the one with fewer threads is taken") {
  const auto knee = find_knee({saturated({8, 4, 1}, 100), saturated({8, 2, 1}, 99)});
  REQUIRE(knee);
  CHECK(knee->setting.instances == 2);
}

TEST_CASE("no points, no knee") { CHECK_FALSE(find_knee({})); }

TEST_CASE("candidates are the knees of every thread layout, and one row") {
  const auto settings =
      candidates({saturated({1, 1, 1}, 40), saturated({8, 1, 1}, 90), saturated({16, 1, 1}, 91),
                  saturated({1, 2, 1}, 70), saturated({8, 2, 1}, 120), saturated({16, 2, 1}, 140)},
                 4);
  CHECK(settings == std::vector<Setting>{{16, 2, 1}, {8, 1, 1}, {1, 2, 1}});
}

TEST_CASE("the recommended point has the most throughput within the goal and refuses nobody") {
  const std::vector<SweepPoint> points{loaded({8, 1, 1}, 900, 4e6), loaded({32, 1, 1}, 1500, 9e6),
                                       loaded({64, 1, 1}, 1900, 12e6),
                                       loaded({64, 2, 1}, 1800, 5e6, 0.2)};
  const auto best = best_within(points, 10e6);
  REQUIRE(best);
  CHECK(best->setting == Setting{32, 1, 1});
  CHECK_FALSE(best_within(points, 1e6));
}

TEST_CASE("a fixed window is a setting of its own") {
  const std::vector<Setting> all = combinations({8}, {1}, {1}, {0, 2'000'000});
  REQUIRE(all.size() == 2);
  CHECK(to_string(all[0]) == "max_batch 8, 1 instance of 1 thread");
  CHECK(to_string(all[1]) == "max_batch 8, 1 instance of 1 thread, window of 2 ms");
}

TEST_CASE("combinations are all of them") {
  CHECK(combinations({1, 8}, {1, 2}, {1}) ==
        std::vector<Setting>{{1, 1, 1}, {8, 1, 1}, {1, 2, 1}, {8, 2, 1}});
}
