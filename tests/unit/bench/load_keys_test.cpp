#include "tuner/load_keys.hpp"

#include <doctest/doctest.h>

#include "tuner/advice.hpp"

using namespace tuner;

namespace {

LoadResult load_of(std::uint64_t ok, std::int64_t latency) {
  LoadResult load;
  load.seconds = 2;
  load.tenants.resize(1);
  load.tenants[0].ok = ok;
  load.tenants[0].latency.record(latency, ok);
  return load;
}

}  // namespace

TEST_CASE("a load becomes keys, unstable percentiles under another name") {
  RunFile run;
  add_load_keys(run, "closed64", load_of(20'000, 3'000'000), {});
  CHECK(run.values.at("closed64.per_s") == std::vector<double>{10'000});
  CHECK(run.values.at("closed64.p99_ms").front() == doctest::Approx(3).epsilon(0.001));
  CHECK(run.values.contains("closed64.p999_ms_unstable"));
  CHECK_FALSE(run.values.contains("closed64.p999_ms"));
  CHECK_FALSE(run.values.contains("closed64.mean_batch"));
  CHECK_FALSE(run.values.contains("closed64.offered_per_s"));
}

TEST_CASE("the tenants of a mix have keys of their own") {
  LoadResult load = load_of(3000, 1000);
  load.tenants.push_back(load_of(1000, 1000).tenants[0]);
  RunFile run;
  add_load_keys(run, "open", load, {{"a", 1, 1}, {"b", 1, 1}});
  CHECK(run.values.at("open.a.share").front() == doctest::Approx(0.75));
  CHECK(run.values.at("open.b.per_s").front() == doctest::Approx(500));
}

TEST_CASE("the median point takes every field by itself") {
  SweepPoint a, b, c;
  a.per_second = 1;
  b.per_second = 2;
  c.per_second = 9;
  a.p99_ns = 30;
  b.p99_ns = 10;
  c.p99_ns = 20;
  const SweepPoint middle = median_point({a, b, c});
  CHECK(middle.per_second == 2);
  CHECK(middle.p99_ns == 20);
}

TEST_CASE("a point counts what was refused and what came too late") {
  LoadResult load = load_of(90, 1000);
  load.tenants[0].refused = 6;
  load.tenants[0].expired = 4;
  CHECK(point_of({}, 50, load).refused_share == doctest::Approx(0.1));
}

TEST_CASE("advice names the setting, what it keeps, and what batching gains") {
  SweepPoint single, knee;
  single.setting = {1, 1, 1};
  single.per_second = 2500;
  knee.setting = {32, 1, 1};
  knee.per_second = 12'500;
  SweepPoint within = knee, beyond = knee;
  within.per_second = within.offered_per_second = 9000;
  within.p99_ns = 9.5e6;
  beyond.offered_per_second = 10'000;
  beyond.p99_ns = 14e6;
  const Findings findings{{single, knee}, {within, beyond}, knee, within, 10e6};
  const auto sentences = advice(findings);
  REQUIRE(sentences.size() == 4);
  CHECK(sentences[0] ==
        "Use max_batch 32, 1 instance of 1 thread: it kept p99 at 9.5 ms (goal 10 ms) up to 9000 "
        "requests/s.");
  CHECK(sentences[1] == "At 10000 requests/s its p99 was 14 ms: plan more processes before that.");
  CHECK(sentences[2] ==
        "The knee of the throughput is max_batch 32, 1 instance of 1 thread (12500 requests/s): no "
        "larger batch was tried.");
  CHECK(sentences[3] == "Batching gains 5.0 times the throughput of one row at a time.");
}

TEST_CASE("advice says when a goal is out of reach and when batching does not pay") {
  SweepPoint knee;
  knee.setting = {1, 1, 1};
  knee.per_second = 100;
  SweepPoint slow = knee;
  slow.offered_per_second = 10;
  slow.p99_ns = 12e6;
  const auto sentences = advice({{knee}, {slow}, knee, {}, 5e6});
  CHECK(sentences[0].starts_with("No setting kept p99 within 5 ms. The quickest was max_batch 1"));
  CHECK(sentences.back().starts_with("Batching does not pay"));
  CHECK(advice({}) == std::vector<std::string>{"Nothing could be measured."});
}
