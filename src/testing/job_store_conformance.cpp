// The life of a job: from enqueue to its outcome, whatever happens to its workers.
#include <array>

#include "testing/job_bench.hpp"

namespace aiserve::inline v0::testing {
namespace {

using Kind = JobOutcomeKind;

Step<void> runs_a_job(JobBench& bench) {
  const Enqueued made = co_await bench.enqueue(JobBench::job("in"));
  need(!made.existing && made.id.value() > 0, "enqueue() gave no new id");
  co_await bench.expect(made.id, JobState::available);
  const Backlog waiting = co_await bench.backlog();
  need(waiting.ready == 1 && waiting.running == 0, "backlog() does not count the job");
  const WorkerId worker = co_await bench.worker();
  const ClaimedJob job = co_await bench.claim_one(worker, "in");
  need(job.id == made.id && job.attempt == 1 && job.used_attempts == 1, "claim() counts wrongly");
  need(job.timeout == 15min && job.max_attempts == 5, "claim() lost what the job asked for");
  co_await bench.expect(made.id, JobState::running);
  const std::vector<ClaimedJob> again = co_await bench.claim(worker, 10);
  need(again.empty(), "a running job was claimed again");
  Settlement done(job, worker, Kind::done);
  done.result = Bytes::literal("out");
  const Settled settled = co_await bench.settle(done);
  need(settled == Settled::applied, "the settlement was refused");
  const JobInfo info = co_await bench.info(made.id);
  need(info.state == JobState::completed && info.result && info.result->text() == "out",
       "the result was not kept");
  need(info.finished_at && info.started_at && *info.finished_at >= *info.started_at,
       "times are missing");
  const Settled twice = co_await bench.settle(done);
  need(twice == Settled::stale, "an outcome was recorded twice");
  const Backlog after = co_await bench.backlog();
  need(after.ready == 0, "backlog() counts a finished job");
}

Step<void> enqueues_all_or_none(JobBench& bench) {
  std::vector<NewJob> jobs(100, JobBench::job("x"));
  const auto done = co_await bench.store().enqueue(bench.ctx(), jobs);
  need(done.ok() && done->size() == 100, "enqueue() of 100 failed");
  for (std::size_t i = 1; i < done->size(); ++i) {
    need((*done)[i - 1].id < (*done)[i].id, "ids do not ascend");
  }
  jobs.back().priority = 10;
  const auto refused = co_await bench.store().enqueue(bench.ctx(), jobs);
  need(!refused.ok() && refused.error().code() == Errc::invalid_argument, "a bad job was taken");
  const auto none = co_await bench.store().enqueue(bench.ctx(), std::span<const NewJob>());
  need(none.ok() && none->empty(), "enqueue() of nothing failed");
  const Backlog waiting = co_await bench.backlog();
  need(waiting.ready == 100, "a refused call left jobs behind");
}

Step<void> keeps_tenants_apart(JobBench& bench) {
  const Enqueued one = co_await bench.enqueue(JobBench::job("of one", kOne));
  const Enqueued two = co_await bench.enqueue(JobBench::job("of two", kTwo));
  const auto foreign = co_await bench.reader().get(bench.ctx(), kTwo, one.id);
  need(!foreign.ok() && foreign.error().code() == Errc::not_found, "a tenant sees another's job");
  const auto cancelled = co_await bench.control(one.id, JobAction::cancel, kTwo);
  need(!cancelled.ok() && cancelled.error().code() == Errc::not_found,
       "a tenant cancelled another's job");
  const JobPage page;
  const auto listed = co_await bench.reader().list(bench.ctx(), kTwo, page);
  need(listed.ok() && listed->size() == 1 && (*listed)[0].id == two.id, "list() mixes tenants");
  const WorkerId worker = co_await bench.worker();
  const ClaimedJob job = co_await bench.claim_one(worker, "of two", kTwo);
  Settlement wrong(job, worker, Kind::done);
  wrong.tenant = kOne;
  const Settled settled = co_await bench.settle(wrong);
  need(settled == Settled::stale, "a settlement for another tenant was applied");
  const Backlog waiting = co_await bench.backlog(kOne);
  need(waiting.ready == 1, "a quota took another tenant's job");
}

Step<void> retries_then_discards(JobBench& bench) {
  NewJob twice = JobBench::job("x");
  twice.max_attempts = 2;
  const Enqueued made = co_await bench.enqueue(twice);
  const WorkerId worker = co_await bench.worker();
  const ClaimedJob first = co_await bench.claim_one(worker, "x");
  Settlement retry(first, worker, Kind::retry);
  const WallTime now = co_await bench.now();
  retry.at = now + 500ms;
  retry.error = "first";
  const Settled settled = co_await bench.settle(retry);
  need(settled == Settled::applied, "a retry was refused");
  co_await bench.expect(made.id, JobState::retryable);
  const Backlog early = co_await bench.backlog();
  need(early.ready == 0, "a retry is ready before its time");
  bench.pass(600ms);
  const Backlog due = co_await bench.backlog();
  need(due.ready == 1, "a retry is not ready when it is due");
  co_await bench.heartbeat(worker);
  const ClaimedJob second = co_await bench.claim_one(worker, "x");
  need(second.attempt == 2 && second.used_attempts == 2, "attempts are not counted");
  Settlement last(second, worker, Kind::retry);
  last.error = "second";
  co_await bench.settle(last);
  const JobInfo info = co_await bench.info(made.id);
  need(info.state == JobState::discarded && info.error == "second", "attempts are not bounded");
}

Step<void> snoozes_without_an_attempt(JobBench& bench) {
  NewJob once = JobBench::job("x");
  once.max_attempts = 1;
  co_await bench.enqueue(once);
  const WorkerId worker = co_await bench.worker();
  for (const Kind kind : {Kind::snooze, Kind::give_back}) {
    const ClaimedJob job = co_await bench.claim_one(worker, "x");
    need(job.used_attempts == 1, "a snooze used an attempt");
    co_await bench.settle(job, worker, kind);
  }
  const ClaimedJob job = co_await bench.claim_one(worker, "x");
  need(job.attempt == 3, "attempts do not number the claims");
  co_await bench.settle(job, worker, Kind::discard);
  co_await bench.expect(job.id, JobState::discarded);
}

Step<void> gives_jobs_of_the_dead_to_others(JobBench& bench) {
  const Enqueued made = co_await bench.enqueue(JobBench::job("x"));
  const WorkerId dead = co_await bench.worker();
  const ClaimedJob lost = co_await bench.claim_one(dead, "x");
  bench.pass(800ms);
  co_await bench.heartbeat(dead);
  bench.pass(800ms);
  const MaintenanceReport early = co_await bench.maintain();
  need(early.rescued == 0, "a job was taken from a living worker");
  bench.pass(300ms);
  const MaintenanceReport report = co_await bench.maintain();
  need(report.rescued == 1 && report.discarded == 0, "a dead worker's job was not rescued");
  const HeartbeatReply reply = co_await bench.heartbeat(dead);
  need(reply.lost, "a dead worker was not told");
  const WorkerId other = co_await bench.worker();
  const ClaimedJob job = co_await bench.claim_one(other, "x");
  need(job.attempt == 2, "a lost lease used no attempt");
  const Settled late = co_await bench.settle(Settlement(lost, dead, Kind::done));
  need(late == Settled::stale, "a dead worker finished a job that another one runs");
  Settlement forged(lost, other, Kind::done);
  const Settled stale = co_await bench.settle(forged);
  need(stale == Settled::stale, "an old attempt's outcome was taken");
  co_await bench.settle(job, other, Kind::done);
  const JobInfo info = co_await bench.info(made.id);
  need(info.state == JobState::completed && info.crashes == 1, "the crash was not counted");
}

Step<void> refuses_claims_of_the_dead(JobBench& bench) {
  co_await bench.enqueue(JobBench::job("x"));
  const std::vector<ClaimQuota> quotas{{kOne, "kind", 1}};
  const auto unknown = co_await bench.store().claim(bench.ctx(), WorkerId(42), quotas);
  need(!unknown.ok() && unknown.error().code() == Errc::conflict, "an unknown worker could claim");
  const WorkerId worker = co_await bench.worker();
  bench.pass(1100ms);
  const auto dead = co_await bench.store().claim(bench.ctx(), worker, quotas);
  need(!dead.ok() && dead.error().code() == Errc::conflict, "a dead worker could claim");
  const WorkerId leaving = co_await bench.worker();
  co_await bench.heartbeat(leaving, 0ms);
  const auto gone = co_await bench.store().claim(bench.ctx(), leaving, quotas);
  need(!gone.ok() && gone.error().code() == Errc::conflict, "a worker that left could claim");
}

Step<void> tells_what_runs(JobBench& bench) {
  const WorkerId worker = co_await bench.worker();
  const WorkerId other = co_await bench.worker();
  co_await bench.enqueue(JobBench::job("mine"));
  const ClaimedJob before = co_await bench.claim_one(worker, "mine");
  co_await bench.settle(before, worker, Kind::give_back);
  const ClaimedJob mine = co_await bench.claim_one(worker, "mine");
  const NewJob of_two = JobBench::job("of two", kTwo);
  co_await bench.enqueue(of_two);
  const ClaimedJob foreign = co_await bench.claim_one(worker, "of two", kTwo);
  const NewJob theirs = JobBench::job("theirs");
  co_await bench.enqueue(theirs);
  co_await bench.claim_one(other, "theirs");
  const NewJob idle = JobBench::job("waits");
  co_await bench.enqueue(idle);
  const auto asked = co_await bench.control(foreign.id, JobAction::cancel, kTwo);
  need(asked.ok(), "a running job was not asked to end");
  const HeartbeatReply reply = co_await bench.heartbeat(worker);
  need(reply.running.size() == 2, "a worker is not told of exactly what runs under it");
  for (const RunningJob& one : reply.running) {
    const ClaimedJob& claimed = one.job.id == mine.id ? mine : foreign;
    need(one.job.id == claimed.id && one.job.tenant == claimed.tenant,
         "a worker is told of a job that it does not run");
    need(one.attempt == claimed.attempt, "a worker is told another attempt than it runs");
  }
  need(reply.to_cancel.size() == 1 && reply.to_cancel[0].id == foreign.id,
       "a worker is not told of exactly the jobs that are to end");
}

Step<void> quarantines_poison(JobBench& bench) {
  NewJob poison = JobBench::job("x");
  poison.max_crashes = 2;
  const Enqueued made = co_await bench.enqueue(poison);
  for (int i = 0; i < 2; ++i) {
    const WorkerId worker = co_await bench.worker();
    co_await bench.claim_one(worker, "x");
    co_await bench.heartbeat(worker, 0ms);
    const MaintenanceReport report = co_await bench.maintain();
    need(report.rescued == 1 && report.discarded == i, "a crash was not noticed");
  }
  co_await bench.expect(made.id, JobState::discarded);
}

Step<void> bounds_an_attempt(JobBench& bench) {
  NewJob brief = JobBench::job("x");
  brief.timeout = 200ms;
  co_await bench.enqueue(brief);
  const WorkerId worker = co_await bench.worker();
  const ClaimedJob job = co_await bench.claim_one(worker, "x");
  bench.pass(300ms);
  const MaintenanceReport report = co_await bench.maintain();
  need(report.rescued == 1, "an attempt beyond its timeout was left to its living worker");
  const Settled late = co_await bench.settle(Settlement(job, worker, Kind::done));
  need(late == Settled::stale, "an attempt beyond its timeout could finish");
  co_await bench.claim_one(worker, "x");
}

Step<void> chains_jobs_and_events(JobBench& bench) {
  co_await bench.enqueue(JobBench::job("first"));
  const WorkerId worker = co_await bench.worker();
  const ClaimedJob job = co_await bench.claim_one(worker, "first");
  Settlement stale(job, WorkerId(1), Kind::done);
  stale.next.push_back(JobBench::job("never"));
  const Settled refused = co_await bench.settle(stale);
  need(refused == Settled::stale, "a stranger's settlement was applied");
  Settlement done(job, worker, Kind::done);
  done.next.push_back(JobBench::job("next"));
  const Settled settled = co_await bench.settle(done);
  need(settled == Settled::applied, "a settlement with next jobs was refused");
  co_await bench.claim_one(worker, "next");
  const std::vector<ClaimedJob> rest = co_await bench.claim(worker, 10);
  need(rest.empty(), "a stale settlement enqueued its next jobs");
}

Step<void> tells_attempts_of_one_call_apart(JobBench& bench) {
  const Enqueued made = co_await bench.enqueue(JobBench::job("x"));
  const WorkerId dead = co_await bench.worker();
  const ClaimedJob lost = co_await bench.claim_one(dead, "x");
  co_await bench.heartbeat(dead, 0ms);
  co_await bench.maintain();
  const WorkerId worker = co_await bench.worker();
  const ClaimedJob job = co_await bench.claim_one(worker, "x");
  Settlement late(lost, dead, Kind::done);
  late.result = Bytes::literal("late");
  late.next.push_back(JobBench::job("after the late one"));
  Settlement done(job, worker, Kind::done);
  done.result = Bytes::literal("out");
  done.next.push_back(JobBench::job("next"));
  const std::vector<Settlement> both{late, done};
  const auto settled = co_await bench.store().settle(bench.ctx(), both);
  need(settled.ok() && settled->size() == 2, "settle() of two attempts failed");
  need((*settled)[0] == Settled::stale, "the attempt of a dead worker was called applied");
  need((*settled)[1] == Settled::applied, "the attempt that counts was called stale");
  const JobInfo info = co_await bench.info(made.id);
  need(info.result && info.result->text() == "out", "the result is the stale attempt's");
  co_await bench.claim_one(worker, "next");
  const std::vector<ClaimedJob> rest = co_await bench.claim(worker, 10);
  need(rest.empty(), "a stale attempt enqueued its next jobs");
}

constexpr std::array<StoreCase<JobStoreSides>, 12> kCases{{
    {"runs a job from enqueue to its result", &run_case<runs_a_job>},
    {"enqueues all or none", &run_case<enqueues_all_or_none>},
    {"keeps tenants apart", &run_case<keeps_tenants_apart>},
    {"retries when due, and discards when the attempts are used up",
     &run_case<retries_then_discards>},
    {"snoozes and takes back without using an attempt", &run_case<snoozes_without_an_attempt>},
    {"gives the jobs of a dead worker to others, whose outcome counts",
     &run_case<gives_jobs_of_the_dead_to_others>},
    {"refuses claims of workers without a lease", &run_case<refuses_claims_of_the_dead>},
    {"tells a worker what runs under it", &run_case<tells_what_runs>},
    {"quarantines what kills its workers", &run_case<quarantines_poison>},
    {"bounds an attempt however long its worker lives", &run_case<bounds_an_attempt>},
    {"enqueues next jobs with the settlement or not at all", &run_case<chains_jobs_and_events>},
    {"tells two attempts at a job apart that one call settles",
     &run_case<tells_attempts_of_one_call_apart>},
}};

}  // namespace

std::span<const StoreCase<JobStoreSides>> job_life_cases() noexcept { return kCases; }

std::span<const StoreCase<JobStoreSides>> job_store_cases() noexcept {
  static const std::vector<StoreCase<JobStoreSides>> all = [] {
    std::vector<StoreCase<JobStoreSides>> cases(kCases.begin(), kCases.end());
    cases.insert(cases.end(), job_rule_cases().begin(), job_rule_cases().end());
    cases.insert(cases.end(), job_order_cases().begin(), job_order_cases().end());
    return cases;
  }();
  return all;
}

}  // namespace aiserve::inline v0::testing
