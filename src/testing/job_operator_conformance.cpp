// What operators may do with a whole queue.
#include <array>

#include "testing/job_bench.hpp"

namespace aiserve::inline v0::testing {
namespace {

using Kind = JobOutcomeKind;

Step<JobStoreStats> stats_of(JobBench& bench) {
  auto stats = co_await bench.operations().stats(bench.ctx());
  co_return std::move(stats).value();
}

Step<JobKindStats> kind_of(JobBench& bench) {
  const JobStoreStats stats = co_await stats_of(bench);
  for (const JobKindStats& row : stats.kinds) {
    if (row.kind == "kind") co_return row;
  }
  co_return JobKindStats{};
}

Step<void> counts_what_there_is(JobBench& bench) {
  const JobStoreStats none = co_await stats_of(bench);
  need(none.kinds.empty() && none.finished == 0 && !none.paused, "an empty store has something");
  NewJob once = JobBench::job("dead");
  once.max_attempts = 1;
  co_await bench.enqueue(once);
  co_await bench.enqueue(JobBench::job("running", kTwo));
  const WorkerId worker = co_await bench.worker();
  const ClaimedJob dead = co_await bench.claim_one(worker, "dead");
  co_await bench.settle(dead, worker, Kind::discard);
  const ClaimedJob running = co_await bench.claim_one(worker, "running", kTwo);
  co_await bench.enqueue(JobBench::job("ready"));
  NewJob delayed = JobBench::job("waiting");
  const WallTime now = co_await bench.now();
  delayed.run_at = now + 1h;
  co_await bench.enqueue(delayed);
  const JobStoreStats stats = co_await stats_of(bench);
  need(stats.finished == 1 && stats.dead == 1, "finished jobs are not counted");
  need(stats.workers == 1, "workers are not counted");
  const JobKindStats row = co_await kind_of(bench);
  need(row.waiting == 1 && row.ready == 1 && row.running == 1, "unfinished jobs are not counted");
  need(row.oldest.has_value(), "the age of the oldest ready job is not told");
  co_await bench.settle(running, worker, Kind::done);
}

Step<void> pauses_for_all_processes(JobBench& bench) {
  co_await bench.enqueue(JobBench::job("x"));
  const WorkerId worker = co_await bench.worker();
  const auto paused = co_await bench.operations().pause(bench.ctx(), "kind");
  need(paused.ok(), "a kind was not paused");
  const Backlog waiting = co_await bench.backlog();
  need(waiting.ready == 1 && waiting.paused, "backlog() does not tell of the pause");
  const std::vector<ClaimedJob> none = co_await bench.claim(worker, 1);
  need(none.empty(), "a paused kind was handed out");
  const JobKindStats row = co_await kind_of(bench);
  need(row.paused && row.ready == 1, "stats() does not tell of the pause");
  co_await bench.enqueue(JobBench::job("y"));
  const auto other = co_await bench.operations().resume(bench.ctx(), "another kind");
  need(other.ok(), "resume() of what is not paused failed");
  const std::vector<ClaimedJob> still = co_await bench.claim(worker, 1);
  need(still.empty(), "resume() of another kind ended the pause");
  const auto resumed = co_await bench.operations().resume(bench.ctx(), "kind");
  need(resumed.ok(), "a kind was not resumed");
  co_await bench.claim_one(worker, "x");
}

Step<void> pauses_all_kinds(JobBench& bench) {
  co_await bench.enqueue(JobBench::job("x"));
  const WorkerId worker = co_await bench.worker();
  const auto all = co_await bench.operations().pause(bench.ctx(), "");
  const auto one = co_await bench.operations().pause(bench.ctx(), "kind");
  need(all.ok() && one.ok(), "pause() failed");
  const JobStoreStats stats = co_await stats_of(bench);
  need(stats.paused, "stats() does not tell that all is paused");
  const auto kind = co_await bench.operations().resume(bench.ctx(), "kind");
  need(kind.ok(), "resume() failed");
  const std::vector<ClaimedJob> none = co_await bench.claim(worker, 1);
  need(none.empty(), "what all kinds' pause stopped was handed out");
  const auto resumed = co_await bench.operations().resume(bench.ctx(), "");
  need(resumed.ok(), "resume() failed");
  co_await bench.claim_one(worker, "x");
  const std::string long_name(129, 'k');
  const auto refused = co_await bench.operations().pause(bench.ctx(), long_name);
  need(!refused.ok() && refused.error().code() == Errc::invalid_argument,
       "a name that no kind can have was paused");
}

Step<void> prunes_what_ended(JobBench& bench) {
  for (const std::string_view input : {"first", "second", "open"}) {
    co_await bench.enqueue(JobBench::job(input));
  }
  const WorkerId worker = co_await bench.worker();
  for (const std::string_view input : {"first", "second"}) {
    const ClaimedJob job = co_await bench.claim_one(worker, input);
    co_await bench.settle(job, worker, Kind::done);
  }
  bench.pass(10ms);
  const WallTime now = co_await bench.now();
  const auto none = co_await bench.operations().prune(bench.ctx(), now - 1h, 10);
  need(none.ok() && *none == 0, "jobs were deleted that ended later");
  const auto one = co_await bench.operations().prune(bench.ctx(), now, 1);
  need(one.ok() && *one == 1, "prune() does not keep to its limit");
  const auto rest = co_await bench.operations().prune(bench.ctx(), now, 10);
  need(rest.ok() && *rest == 1, "finished jobs were not deleted");
  const JobStoreStats stats = co_await stats_of(bench);
  need(stats.finished == 0, "deleted jobs are counted");
  co_await bench.claim_one(worker, "open");
  const auto refused = co_await bench.operations().prune(bench.ctx(), now, 0);
  need(!refused.ok() && refused.error().code() == Errc::invalid_argument,
       "a limit of 0 is not invalid");
}

constexpr std::array<StoreCase<JobStoreSides>, 4> kCases{{
    {"counts what there is", &run_case<counts_what_there_is>},
    {"pauses and resumes a kind for all processes", &run_case<pauses_for_all_processes>},
    {"pauses and resumes all kinds", &run_case<pauses_all_kinds>},
    {"prunes what ended", &run_case<prunes_what_ended>},
}};

}  // namespace

std::span<const StoreCase<JobStoreSides>> job_operator_cases() noexcept { return kCases; }

}  // namespace aiserve::inline v0::testing
