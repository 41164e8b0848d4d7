#include <fstream>
#include <regex>

#include "unit/jobs/queue_bench.hpp"

using namespace aiserve;
using testing::ends;
using testing::QueueBench;

TEST_CASE("what a queue does is counted") {
  QueueBench bench;
  bench.jobs.on("a", ends(JobOutcome::done()));
  bench.sim.start();
  NewJob once = bench.jobs.make(bench.ctx, "a", Bytes());
  once.unique = JobUnique("x", JobUniqueScope::retained);
  bench.enqueue(once);
  bench.enqueue(once);
  bench.enqueue("a");
  bench.sim.run_until_idle();
  CHECK(bench.metric(R"(aiserve_jobs_enqueued_total{queue="jobs"})") == 2);
  CHECK(bench.metric(R"(aiserve_jobs_existing_total{queue="jobs"})") == 1);
  CHECK(bench.metric(R"(aiserve_jobs_outcomes_total{kind="a",outcome="done",queue="jobs"})") == 2);
  CHECK(bench.metric(R"(aiserve_jobs_run_seconds_count{kind="a",queue="jobs"})") == 2);
  CHECK(bench.metric(R"(aiserve_jobs_wait_seconds_count{kind="a",queue="jobs"})") == 2);
  CHECK(bench.metric(R"(aiserve_jobs_held{queue="jobs"})") == 0);
}

TEST_CASE("depth and age of what waits are told") {
  QueueBench bench;
  bench.jobs.on("a", ends(JobOutcome::done()));
  bench.jobs.pause();
  bench.sim.start();
  bench.enqueue("a");
  bench.enqueue("a");
  bench.sim.advance(std::chrono::seconds(60));
  CHECK(bench.metric(R"(aiserve_jobs_ready{kind="a",queue="jobs"})") == 2);
  CHECK(bench.metric(R"(aiserve_jobs_oldest_seconds{kind="a",queue="jobs"})") >= 58);
}

TEST_CASE("every metric of a queue is in the documentation, and every one there is exported") {
  QueueBench bench;
  bench.jobs.on("a", ends(JobOutcome::done()));
  std::ifstream in(std::string(AISERVE_ROOT) + "/docs/jobs.md");
  const std::string page{std::istreambuf_iterator<char>(in), {}};
  const std::string exported = bench.telemetry.metrics().prometheus();
  const auto names = [](const std::string& text, const std::regex& regex) {
    std::set<std::string> found;
    for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it) {
      found.insert((*it)[1]);
    }
    return found;
  };
  const auto known = names(exported, std::regex(R"(# TYPE (aiserve_jobs_\w+))"));
  REQUIRE(known.size() > 10);
  CHECK(names(page, std::regex("(aiserve_jobs_\\w+)")) == known);
}
