#include "tuner/compare.hpp"

#include <doctest/doctest.h>

#include "tuner/usage_error.hpp"

using namespace tuner;

namespace {

RunFile run_of(const std::string& key, std::vector<double> values) {
  RunFile run;
  run.values[key] = std::move(values);
  return run;
}

Comparison compare_one(const std::string& key, std::vector<double> before,
                       std::vector<double> after, double threshold = 0.05) {
  return compare(run_of(key, std::move(before)), run_of(key, std::move(after)), threshold).front();
}

}  // namespace

TEST_CASE("a run file comes back from its JSON as it was") {
  RunFile run;
  run.about["command"] = "aiserve-bench run --model \"null\"\n";
  run.values["closed64.per_s"] = {11683, 11620.5, 11700};
  run.values["closed64.p99_ms"] = {8.25};
  CHECK(parse_run(to_json(run), "x") == run);
}

TEST_CASE("a file of scripts/bench counts as one repeat per key") {
  const RunFile run = parse_run(R"({"batching.null.cpu_ns_per_request": 1236})", "x");
  CHECK(run.values.at("batching.null.cpu_ns_per_request") == std::vector<double>{1236});
}

TEST_CASE("what is no run file is refused with its name") {
  for (const char* text : {"", "[]", "{\"a\": {}}", "{\"a\": \"b\"}", "{\"a.repeats\": [\"b\"]}"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(parse_run(text, "b.json"), UsageError);
  }
}

TEST_CASE("a latency that grew in every repeat is a sure regression") {
  const auto seen =
      compare_one("open.p99_ms", {10, 10.1, 9.9, 10.2, 9.8}, {12, 12.1, 11.9, 12.2, 13});
  CHECK(seen.verdict == Verdict::worse);
  CHECK(seen.confidence == Confidence::sure);
  CHECK(seen.ratio.low > 1.1);
}

TEST_CASE("the same growth of a throughput is an improvement") {
  const auto seen =
      compare_one("open.per_s", {10, 10.1, 9.9, 10.2, 9.8}, {12, 12.1, 11.9, 12.2, 13});
  CHECK(seen.verdict == Verdict::better);
}

TEST_CASE("noise that overlaps is no change however far the medians are apart") {
  const auto seen = compare_one("open.p99_ms", {10, 30, 11, 12, 40}, {14, 9, 35, 16, 17});
  CHECK(seen.verdict == Verdict::same);
}

TEST_CASE("a sure change below the threshold is no change") {
  const auto seen = compare_one("open.per_s", {100, 101, 102, 103}, {96, 95, 94, 93});
  CHECK(seen.p_value < 0.05);
  CHECK(seen.verdict == Verdict::worse);
  CHECK(compare_one("open.per_s", {100, 101, 102, 103}, {96, 95, 94, 93}, 0.1).verdict ==
        Verdict::same);
}

TEST_CASE("three repeats make a regression likely at most, one repeat says nothing") {
  const auto three = compare_one("open.p99_ms", {10, 10.1, 9.9}, {15, 15.1, 14.9});
  CHECK(three.verdict == Verdict::worse);
  CHECK(three.confidence == Confidence::likely);
  CHECK(compare_one("open.p99_ms", {10}, {15}).verdict == Verdict::same);
}

TEST_CASE("keys of one run only are named, regressions come first") {
  RunFile before = run_of("a.p99_ms", {1, 1, 1, 1});
  before.values["gone"] = {1};
  before.values["z.per_s"] = {100, 101, 102, 103};
  RunFile after = run_of("a.p99_ms", {1, 1, 1, 1});
  after.values["new"] = {1};
  after.values["z.per_s"] = {50, 51, 52, 53};
  const auto all = compare(before, after, 0.05);
  REQUIRE(all.size() == 4);
  CHECK(all[0].key == "z.per_s");
  CHECK(all[1].verdict == Verdict::only_before);
  CHECK(all[2].verdict == Verdict::only_after);
  CHECK(all[3].verdict == Verdict::same);
  CHECK(any_regression(all));
  CHECK(comparison_text(all).find("1 worse, 0 better, 0 changed otherwise, 1 the same") !=
        std::string::npos);
}

TEST_CASE("the words of a key say which direction is good") {
  CHECK(direction_of("batching.poisson50.p99_ratio") == Better::lower);
  CHECK(direction_of("batching.goal10.throughput_ratio") == Better::higher);
  CHECK(direction_of("batching.harmful.ratio") == Better::higher);
  CHECK(direction_of("batching.overload15.reject_ms_p99") == Better::lower);
  CHECK(direction_of("batching.null.cpu_ns_per_request") == Better::lower);
  CHECK(direction_of("open.offered_per_s") == Better::neither);
  CHECK(direction_of("closed64.mean_batch") == Better::neither);
  CHECK(direction_of("closed64.p99_ms_unstable") == Better::lower);
}
