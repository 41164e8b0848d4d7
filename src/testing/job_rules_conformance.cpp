// Who goes first, what is refused, and what operators and tenants may do.
#include <array>

#include "testing/job_bench.hpp"

namespace aiserve::inline v0::testing {
namespace {

using Kind = JobOutcomeKind;

Step<void> orders_by_age_and_priority(JobBench& bench) {
  const auto with = [](std::string_view input, int priority) {
    NewJob job = JobBench::job(input);
    job.priority = priority;
    return job;
  };
  co_await bench.enqueue(with("last", 9));
  const Backlog alone = co_await bench.backlog();
  need(alone.turn - alone.oldest == NewJob::kAgeing * 9, "backlog() gives no place in line");
  co_await bench.enqueue(with("second", 5));
  co_await bench.enqueue(with("third", 5));
  co_await bench.enqueue(with("first", 0));
  const WorkerId worker = co_await bench.worker();
  for (const std::string_view input : {"first", "second", "third"}) {
    co_await bench.claim_one(worker, input);
  }
  // Nine steps of priority are worth nine times kAgeing.
  bench.pass(NewJob::kAgeing * 9 + 1s);
  co_await bench.enqueue(with("late", 0));
  const WorkerId other = co_await bench.worker();
  co_await bench.claim_one(other, "last");
  co_await bench.claim_one(other, "late");
}

Step<void> waits_for_its_time(JobBench& bench) {
  NewJob delayed = JobBench::job("later");
  const WallTime now = co_await bench.now();
  delayed.run_at = now + 10s;
  const Enqueued made = co_await bench.enqueue(delayed);
  co_await bench.expect(made.id, JobState::scheduled);
  const MaintenanceReport early = co_await bench.maintain();
  need(early.promoted == 0 && early.next_due, "maintain() does not tell when a job is due");
  bench.pass(10s);
  const MaintenanceReport due = co_await bench.maintain();
  need(due.promoted == 1 && !due.next_due, "a job was not ready in time");
  const WorkerId worker = co_await bench.worker();
  co_await bench.claim_one(worker, "later");
}

Step<void> expires_before_the_start(JobBench& bench) {
  NewJob brief = JobBench::job("too late");
  const WallTime now = co_await bench.now();
  brief.start_before = now + 1s;
  const Enqueued made = co_await bench.enqueue(brief);
  co_await bench.enqueue(JobBench::job("in time"));
  bench.pass(2s);
  const WorkerId worker = co_await bench.worker();
  const std::vector<ClaimedJob> claimed = co_await bench.claim(worker, 2);
  need(claimed.size() == 1 && claimed[0].input.text() == "in time",
       "an expired job was handed out");
  const JobInfo info = co_await bench.info(made.id);
  need(info.state == JobState::discarded && info.error == "expired", "an expired job was not told");
}

Step<void> keeps_unique_keys(JobBench& bench) {
  NewJob job = JobBench::job("x");
  job.unique = JobUnique("key");
  const Enqueued first = co_await bench.enqueue(job);
  const Enqueued second = co_await bench.enqueue(job);
  need(second.existing && second.id == first.id, "a unique key was enqueued twice");
  NewJob foreign = JobBench::job("x", kTwo);
  foreign.unique = JobUnique("key");
  const Enqueued other = co_await bench.enqueue(foreign);
  need(!other.existing, "two tenants share unique keys");
  const std::vector<NewJob> both(2, [] {
    NewJob twin = JobBench::job("twin");
    twin.unique = JobUnique("twin");
    return twin;
  }());
  const auto twins = co_await bench.store().enqueue(bench.ctx(), both);
  need(twins.ok() && (*twins)[0].id == (*twins)[1].id, "one call enqueued a unique key twice");
  const WorkerId worker = co_await bench.worker();
  const ClaimedJob claimed = co_await bench.claim_one(worker, "x");
  const Enqueued running = co_await bench.enqueue(job);
  need(running.existing, "a running job does not hold its unique key");
  co_await bench.settle(claimed, worker, Kind::done);
  const Enqueued again = co_await bench.enqueue(job);
  need(!again.existing, "a finished job holds its unique key");
}

Step<void> keeps_idempotency_keys(JobBench& bench) {
  NewJob job = JobBench::job("x");
  job.unique = JobUnique("key", JobUniqueScope::retained, 10s);
  const Enqueued first = co_await bench.enqueue(job);
  const WorkerId worker = co_await bench.worker();
  const ClaimedJob claimed = co_await bench.claim_one(worker, "x");
  need(claimed.unique_key == "key", "the worker is not told the key");
  co_await bench.settle(claimed, worker, Kind::done);
  const Enqueued again = co_await bench.enqueue(job);
  need(again.existing && again.id == first.id, "a retained key was forgotten with its job");
  bench.pass(11s);
  co_await bench.maintain();
  const Enqueued later = co_await bench.enqueue(job);
  need(!later.existing, "a retained key outlived its period");
}

Step<void> keeps_order(JobBench& bench) {
  const auto ordered = [](std::string_view input, int priority) {
    NewJob job = JobBench::job(input);
    job.order_key = "account 7";
    job.priority = priority;
    return job;
  };
  co_await bench.enqueue(ordered("1", 9));
  co_await bench.enqueue(ordered("2", 0));
  co_await bench.enqueue(ordered("3", 0));
  const WorkerId worker = co_await bench.worker();
  const ClaimedJob first = co_await bench.claim_one(worker, "1");
  need(first.order_key == "account 7", "claim() lost the order key");
  const std::vector<ClaimedJob> none = co_await bench.claim(worker, 10);
  need(none.empty(), "two jobs of one order key run at once");
  Settlement retry(first, worker, Kind::retry);
  co_await bench.settle(retry);
  const ClaimedJob again = co_await bench.claim_one(worker, "1");
  co_await bench.settle(again, worker, Kind::done);
  const ClaimedJob second = co_await bench.claim_one(worker, "2");
  co_await bench.settle(second, worker, Kind::discard);
  const ClaimedJob third = co_await bench.claim_one(worker, "3");
  co_await bench.settle(third, worker, Kind::done);
}

Step<void> keeps_order_of_the_redriven(JobBench& bench) {
  NewJob job = JobBench::job("1");
  job.order_key = "account 7";
  const Enqueued first = co_await bench.enqueue(job);
  const WorkerId worker = co_await bench.worker();
  const ClaimedJob dead = co_await bench.claim_one(worker, "1");
  co_await bench.settle(dead, worker, Kind::discard);
  job.input = Bytes::literal("2");
  co_await bench.enqueue(job);
  job.input = Bytes::literal("3");
  const Enqueued third = co_await bench.enqueue(job);
  const ClaimedJob second = co_await bench.claim_one(worker, "2");
  const auto again = co_await bench.control(first.id, JobAction::redrive);
  need(again.ok(), "a discarded job was not redriven");
  const auto cancelled = co_await bench.control(third.id, JobAction::cancel);
  need(cancelled.ok(), "a blocked job was not cancelled");
  const std::vector<ClaimedJob> none = co_await bench.claim(worker, 10);
  need(none.empty(), "the end of a blocked job let two of its order key run at once");
  co_await bench.settle(second, worker, Kind::done);
  const ClaimedJob last = co_await bench.claim_one(worker, "1");
  co_await bench.settle(last, worker, Kind::done);
}

Step<void> bounds_the_queue(JobBench& bench) {
  NewJob job = JobBench::job("x");
  job.max_waiting = 2;
  NewJob known = job;
  known.unique = JobUnique("key");
  co_await bench.enqueue(known);
  co_await bench.enqueue(job);
  const Enqueued again = co_await bench.enqueue(known);
  need(again.existing, "a full queue refuses a job that is there");
  const Error full = co_await bench.enqueue_error(job);
  need(full.code() == Errc::overloaded && full.retry_after(), "a full queue is not overloaded");
  NewJob foreign = JobBench::job("x", kTwo);
  foreign.max_waiting = 2;
  co_await bench.enqueue(foreign);
  const WorkerId worker = co_await bench.worker();
  co_await bench.claim_one(worker, "x");
  co_await bench.enqueue(job);
}

Step<void> bounds_the_queue_at_once(JobBench& bench) {
  int number = 0;
  const auto enqueue = [&](const Context& ctx) -> Async<int> {
    NewJob job = JobBench::job("x");
    job.max_waiting = 3;
    job.unique = JobUnique(std::to_string(++number));
    const std::vector<NewJob> jobs{job};
    const auto made = co_await bench.store().enqueue(ctx, jobs);
    co_return made.ok() ? 1 : 0;
  };
  const auto made = co_await all(bench.ctx(), enqueue, enqueue, enqueue, enqueue, enqueue, enqueue);
  const auto sum = [](auto... one) { return (one + ...); };
  need(std::apply(sum, made.value()) == 3, "calls at once fill a queue above its bound, or below");
  const Backlog waiting = co_await bench.backlog();
  need(waiting.ready == 3, "a refused job waits all the same");
}

Step<void> cancels(JobBench& bench) {
  const Enqueued waiting = co_await bench.enqueue(JobBench::job("waiting"));
  const auto cancelled = co_await bench.control(waiting.id, JobAction::cancel);
  need(cancelled.ok() && cancelled->state == JobState::cancelled,
       "a waiting job was not cancelled");
  const auto twice = co_await bench.control(waiting.id, JobAction::cancel);
  need(!twice.ok() && twice.error().code() == Errc::conflict, "a finished job was cancelled");
  const Enqueued made = co_await bench.enqueue(JobBench::job("running"));
  const WorkerId worker = co_await bench.worker();
  const ClaimedJob job = co_await bench.claim_one(worker, "running");
  const auto asked = co_await bench.control(made.id, JobAction::cancel);
  need(asked.ok() && asked->state == JobState::running && asked->cancel_requested,
       "a running job was not asked to end");
  const HeartbeatReply reply = co_await bench.heartbeat(worker);
  need(reply.to_cancel.size() == 1 && reply.to_cancel[0].id == made.id, "its worker was not told");
  co_await bench.settle(Settlement(job, worker, Kind::retry));
  co_await bench.expect(made.id, JobState::cancelled);
}

Step<void> redrives(JobBench& bench) {
  NewJob once = JobBench::job("x");
  once.max_attempts = 1;
  const Enqueued made = co_await bench.enqueue(once);
  const WorkerId worker = co_await bench.worker();
  const auto early = co_await bench.control(made.id, JobAction::redrive);
  need(!early.ok() && early.error().code() == Errc::conflict, "a waiting job was redriven");
  const ClaimedJob first = co_await bench.claim_one(worker, "x");
  co_await bench.settle(first, worker, Kind::retry);
  const JobPage dead{.state = JobState::discarded};
  const auto listed = co_await bench.reader().list(bench.ctx(), kOne, dead);
  need(listed.ok() && listed->size() == 1, "a dead letter is not listed");
  const auto redriven = co_await bench.control(made.id, JobAction::redrive);
  need(redriven.ok() && redriven->state == JobState::available, "a dead letter was not redriven");
  const ClaimedJob second = co_await bench.claim_one(worker, "x");
  need(second.used_attempts == 1 && second.attempt == 2, "a redrive gave no new attempts");
  co_await bench.settle(second, worker, Kind::done);
  const auto done = co_await bench.control(made.id, JobAction::redrive);
  need(!done.ok() && done.error().code() == Errc::conflict, "a completed job was redriven");
}

Step<void> lists_page_by_page(JobBench& bench) {
  std::vector<JobId> expected;
  for (int i = 0; i < 5; ++i) {
    const Enqueued made = co_await bench.enqueue(JobBench::job(std::to_string(i)));
    expected.insert(expected.begin(), made.id);
  }
  const WorkerId worker = co_await bench.worker();
  const ClaimedJob job = co_await bench.claim_one(worker, "0");
  co_await bench.settle(job, worker, Kind::done);
  std::vector<JobId> found;
  JobPage page{.limit = 2};
  while (found.size() < 10) {
    const auto listed = co_await bench.reader().list(bench.ctx(), kOne, page);
    need(listed.ok(), "list() failed");
    if (listed->empty()) break;
    for (const JobInfo& info : *listed) found.push_back(info.id);
    page.before = found.back();
  }
  need(found == expected, "pages do not join, or finished jobs are missing");
  const JobPage done{.state = JobState::completed};
  const auto completed = co_await bench.reader().list(bench.ctx(), kOne, done);
  need(completed.ok() && completed->size() == 1 && !(*completed)[0].result, "states are not told");
}

Step<void> takes_any_bytes(JobBench& bench) {
  const std::string all = all_bytes();
  NewJob job(TenantId(), all.substr(0, 128), Bytes::copy(all));
  job.unique = JobUnique(all);
  job.order_key = all;
  const Enqueued made = co_await bench.enqueue(job);
  const WorkerId worker = co_await bench.worker();
  const std::vector<ClaimQuota> quotas{{TenantId(), all.substr(0, 128), 1}};
  const auto claimed = co_await bench.store().claim(bench.ctx(), worker, quotas);
  need(claimed.ok() && claimed->size() == 1, "a kind of any bytes was not found");
  need((*claimed)[0].input.text() == all, "an input has other bytes");
  const auto input = co_await bench.reader().input(bench.ctx(), TenantId(), made.id);
  const bool told = input.ok() ? input->text() == all : input.error().code() == Errc::unimplemented;
  need(told, "an unfinished job's input is not given back");
  const auto foreign = co_await bench.reader().input(bench.ctx(), kOne, made.id);
  need(!foreign.ok(), "a tenant was given another's input");
  Settlement done((*claimed)[0], worker, Kind::done);
  done.result = Bytes::copy(all);
  co_await bench.settle(done);
  const JobInfo info = co_await bench.info(made.id, TenantId());
  need(info.result && info.result->text() == all, "a result has other bytes");
  NewJob nameless = JobBench::job("x");
  nameless.kind.clear();
  const Error refused = co_await bench.enqueue_error(nameless);
  need(refused.code() == Errc::invalid_argument, "a job without kind is not invalid");
}

Step<void> finds_references(JobBench& bench) {
  const auto named = [](std::string_view name) {
    return Bytes::copy(std::string(JobReader::kReferenceMark) + std::string(name));
  };
  const std::vector<Bytes> all{named("input"), named("result"), named("nobody's"), named("kept")};
  const auto refers = [&](const TenantId& tenant) -> Step<std::vector<bool>> {
    auto answers = co_await bench.reader().refers(bench.ctx(), tenant, all);
    co_return std::move(answers).value();
  };
  const std::vector<Bytes> nothing;
  const auto none = co_await bench.reader().refers(bench.ctx(), kOne, nothing);
  if (!none && none.error().code() == Errc::unimplemented) co_return;
  need(none.ok() && none->empty(), "asked for no reference, the store tells of some");
  const NewJob given(kOne, "kind", all[0]);
  const Enqueued made = co_await bench.enqueue(given);
  const std::vector<bool> waiting = co_await refers(kOne);
  need(waiting == std::vector<bool>{true, false, false, false}, "an input's reference is missed");
  const std::vector<bool> foreign = co_await refers(kTwo);
  need(foreign == std::vector<bool>(4, false), "a tenant sees another's references");
  const WorkerId worker = co_await bench.worker();
  const ClaimedJob job = co_await bench.claim_one(worker, all[0].text());
  Settlement done(job, worker, Kind::done);
  done.result = all[1];
  co_await bench.settle(done);
  const std::vector<bool> finished = co_await refers(kOne);
  need(finished[1] && !finished[2], "a result's reference is missed");
  const NewJob dead(kOne, "kind", all[3]);
  const Enqueued discarded = co_await bench.enqueue(dead);
  const ClaimedJob failed = co_await bench.claim_one(worker, all[3].text());
  co_await bench.settle(failed, worker, Kind::discard);
  const std::vector<bool> kept = co_await refers(kOne);
  need(kept[3], "the input of a job that can be redriven is missed");
  const auto again = co_await bench.control(discarded.id, JobAction::redrive);
  need(again.ok() && made.id != discarded.id, "a dead letter was not redriven");
  const std::vector<bool> redriven = co_await refers(kOne);
  need(redriven[3], "the input of a redriven job is missed");
  const std::string longer(4096, 'x');
  const NewJob large(kOne, "kind", named(longer));
  co_await bench.enqueue(large);  // looks like a reference, and is only a payload
}

constexpr std::array<StoreCase<JobStoreSides>, 14> kCases{{
    {"orders by age, a step of priority counting as some", &run_case<orders_by_age_and_priority>},
    {"keeps a delayed job until its time", &run_case<waits_for_its_time>},
    {"discards what did not start in time", &run_case<expires_before_the_start>},
    {"keeps unique keys while a job is unfinished", &run_case<keeps_unique_keys>},
    {"keeps idempotency keys for their period", &run_case<keeps_idempotency_keys>},
    {"runs jobs of one order key one after the other", &run_case<keeps_order>},
    {"keeps one order key in order when jobs are redriven and cancelled",
     &run_case<keeps_order_of_the_redriven>},
    {"bounds what waits per tenant and kind", &run_case<bounds_the_queue>},
    {"bounds what waits when many enqueue at once", &run_case<bounds_the_queue_at_once>},
    {"cancels waiting jobs at once and asks running ones", &run_case<cancels>},
    {"redrives dead letters", &run_case<redrives>},
    {"lists jobs page by page, latest first", &run_case<lists_page_by_page>},
    {"takes any bytes, and refuses bad jobs", &run_case<takes_any_bytes>},
    {"finds the jobs that refer to an object", &run_case<finds_references>},
}};

}  // namespace

std::span<const StoreCase<JobStoreSides>> job_rule_cases() noexcept { return kCases; }

}  // namespace aiserve::inline v0::testing
