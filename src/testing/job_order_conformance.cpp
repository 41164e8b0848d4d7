// Whose turn it is under an order key that several jobs may have at once.
#include <array>

#include "testing/job_bench.hpp"

namespace aiserve::inline v0::testing {
namespace {

using Kind = JobOutcomeKind;

NewJob of_key(std::string_view input, int order_concurrency, const TenantId& tenant = kOne) {
  NewJob job = JobBench::job(input, tenant);
  job.order_key = "account 7";
  job.order_concurrency = order_concurrency;
  return job;
}

/// Claims all that have their turn and are not claimed: exactly these, in this order. `inputs` are
/// joined by spaces.
Step<std::vector<ClaimedJob>> take(JobBench& bench, WorkerId worker, std::string_view inputs) {
  std::vector<ClaimedJob> claimed = co_await bench.claim(worker, 100);
  std::string all;
  for (const ClaimedJob& job : claimed) all += (all.empty() ? "" : " ") + job.input.to_string();
  if (all == inputs) co_return claimed;
  throw ResultError(broken("the jobs of an order key that have their turn are \"" + all +
                           "\" instead of \"" + std::string(inputs) + '"'));
}

Step<void> gives_turns_in_order(JobBench& bench) {
  for (const std::string_view input : {"1", "2", "3", "4", "5"}) {
    co_await bench.enqueue(of_key(input, 2));
  }
  co_await bench.enqueue(of_key("another tenant's", 2, kTwo));
  const WorkerId worker = co_await bench.worker();
  const auto first = co_await take(bench, worker, "1 2");
  co_await bench.claim_one(worker, "another tenant's", kTwo);
  co_await bench.settle(first[1], worker, Kind::done);
  const auto third = co_await take(bench, worker, "3");
  // A retry keeps its turn.
  co_await bench.settle(first[0], worker, Kind::retry);
  const auto again = co_await take(bench, worker, "1");
  const std::vector<Settlement> both{Settlement(again[0], worker, Kind::done),
                                     Settlement(third[0], worker, Kind::discard)};
  const auto settled = co_await bench.store().settle(bench.ctx(), both);
  need(settled.ok(), "two settlements of one order key failed");
  co_await take(bench, worker, "4 5");
}

Step<void> counts_jobs_of_one_call(JobBench& bench) {
  const std::vector<NewJob> jobs{of_key("1", 2), of_key("2", 2), of_key("3", 2)};
  const auto made = co_await bench.store().enqueue(bench.ctx(), jobs);
  need(made.ok(), "three jobs of one order key were refused");
  const WorkerId worker = co_await bench.worker();
  co_await take(bench, worker, "1 2");
  // Nobody goes past those that wait, whatever it says.
  co_await bench.enqueue(of_key("4", 3));
  co_await take(bench, worker, "");
}

Step<void> lowers_the_number(JobBench& bench) {
  for (const std::string_view input : {"1", "2"}) co_await bench.enqueue(of_key(input, 2));
  for (const std::string_view input : {"3", "4"}) co_await bench.enqueue(of_key(input, 1));
  const WorkerId worker = co_await bench.worker();
  const auto first = co_await take(bench, worker, "1 2");
  co_await bench.settle(first[0], worker, Kind::done);
  co_await take(bench, worker, "");
  co_await bench.settle(first[1], worker, Kind::done);
  const auto third = co_await take(bench, worker, "3");
  co_await bench.settle(third[0], worker, Kind::done);
  co_await take(bench, worker, "4");
}

Step<void> raises_the_number(JobBench& bench) {
  for (const std::string_view input : {"1", "2"}) co_await bench.enqueue(of_key(input, 1));
  for (const std::string_view input : {"3", "4", "5", "6"}) {
    co_await bench.enqueue(of_key(input, 3));
  }
  const WorkerId worker = co_await bench.worker();
  const auto first = co_await take(bench, worker, "1");
  co_await bench.settle(first[0], worker, Kind::done);
  const auto second = co_await take(bench, worker, "2");
  co_await bench.settle(second[0], worker, Kind::done);
  const auto three = co_await take(bench, worker, "3 4 5");
  co_await bench.settle(three[2], worker, Kind::cancel);
  co_await take(bench, worker, "6");
}

Step<void> stops_at_a_lower_number(JobBench& bench) {
  for (const std::string_view input : {"1", "2", "3"}) co_await bench.enqueue(of_key(input, 3));
  co_await bench.enqueue(of_key("4", 3));
  co_await bench.enqueue(of_key("5", 1));
  co_await bench.enqueue(of_key("6", 3));
  const WorkerId worker = co_await bench.worker();
  const auto first = co_await take(bench, worker, "1 2 3");
  const std::vector<Settlement> two{Settlement(first[0], worker, Kind::done),
                                    Settlement(first[1], worker, Kind::done)};
  const auto settled = co_await bench.store().settle(bench.ctx(), two);
  need(settled.ok(), "two settlements of one order key failed");
  const auto fourth = co_await take(bench, worker, "4");
  co_await bench.settle(first[2], worker, Kind::done);
  co_await take(bench, worker, "");
  co_await bench.settle(fourth[0], worker, Kind::done);
  const auto fifth = co_await take(bench, worker, "5");
  co_await bench.settle(fifth[0], worker, Kind::done);
  co_await take(bench, worker, "6");
}

Step<void> lines_up_the_redriven(JobBench& bench) {
  const Enqueued dead = co_await bench.enqueue(of_key("1", 2));
  for (const std::string_view input : {"2", "3"}) co_await bench.enqueue(of_key(input, 2));
  const WorkerId worker = co_await bench.worker();
  const auto first = co_await take(bench, worker, "1 2");
  co_await bench.settle(first[0], worker, Kind::discard);
  const auto third = co_await take(bench, worker, "3");
  const auto again = co_await bench.control(dead.id, JobAction::redrive);
  need(again.ok() && again->state == JobState::scheduled, "a redriven job goes past the others");
  const Enqueued fourth = co_await bench.enqueue(of_key("4", 2));
  co_await bench.enqueue(of_key("5", 2));
  const auto gone = co_await bench.control(fourth.id, JobAction::cancel);
  need(gone.ok() && gone->state == JobState::cancelled, "a waiting job was not cancelled");
  co_await take(bench, worker, "");
  co_await bench.settle(first[1], worker, Kind::done);
  const auto redriven = co_await take(bench, worker, "1");
  co_await bench.settle(third[0], worker, Kind::done);
  const auto fifth = co_await take(bench, worker, "5");
  co_await bench.settle(redriven[0], worker, Kind::done);
  co_await bench.settle(fifth[0], worker, Kind::done);
  // Nobody is left: the key begins anew.
  co_await bench.enqueue(of_key("6", 1));
  co_await take(bench, worker, "6");
}

Step<void> ends_the_turn_of_the_expired(JobBench& bench) {
  const WallTime now = co_await bench.now();
  NewJob brief = of_key("brief", 2);
  brief.start_before = now + 1s;
  co_await bench.enqueue(brief);
  NewJob later = of_key("later", 2);
  later.run_at = now + 10s;
  co_await bench.enqueue(later);
  co_await bench.enqueue(of_key("next", 2));
  const Enqueued waiting = co_await bench.enqueue(brief);
  bench.pass(2s);
  const WorkerId worker = co_await bench.worker();
  // The call that finds the first one expired may give its turn already.
  auto next = co_await bench.claim(worker, 100);
  if (next.empty()) next = co_await bench.claim(worker, 100);
  need(next.size() == 1 && next[0].input.text() == "next", "an expired job keeps its turn");
  co_await bench.settle(next[0], worker, Kind::done);
  co_await take(bench, worker, "");
  co_await bench.expect(waiting.id, JobState::discarded);
  bench.pass(9s);
  co_await bench.maintain();
  const WorkerId other = co_await bench.worker();
  co_await take(bench, other, "later");
}

Step<void> keeps_turns_of_the_rescued(JobBench& bench) {
  for (const std::string_view input : {"1", "2"}) {
    NewJob job = of_key(input, 2);
    job.max_crashes = 2;
    co_await bench.enqueue(job);
  }
  for (const std::string_view input : {"3", "4"}) co_await bench.enqueue(of_key(input, 2));
  const WorkerId dying = co_await bench.worker();
  co_await take(bench, dying, "1 2");
  bench.pass(2s);
  const MaintenanceReport rescued = co_await bench.maintain();
  need(rescued.rescued == 2, "the jobs of a dead worker were not rescued");
  const WorkerId second = co_await bench.worker();
  co_await take(bench, second, "1 2");
  bench.pass(2s);
  const MaintenanceReport poisonous = co_await bench.maintain();
  need(poisonous.discarded == 2, "poisonous jobs were not discarded");
  const WorkerId third = co_await bench.worker();
  co_await take(bench, third, "3 4");
}

Step<void> lines_up_what_follows(JobBench& bench) {
  for (const std::string_view input : {"1", "2", "3"}) co_await bench.enqueue(of_key(input, 2));
  const WorkerId worker = co_await bench.worker();
  const auto first = co_await take(bench, worker, "1 2");
  Settlement done(first[0], worker, Kind::done);
  done.next = {of_key("4", 2), of_key("5", 2)};
  co_await bench.settle(done);
  const auto third = co_await take(bench, worker, "3");
  co_await bench.settle(first[1], worker, Kind::done);
  const auto fourth = co_await take(bench, worker, "4");
  co_await bench.settle(third[0], worker, Kind::done);
  const auto fifth = co_await take(bench, worker, "5");
  co_await bench.settle(fourth[0], worker, Kind::done);
  Settlement last(fifth[0], worker, Kind::done);
  last.next = {of_key("6", 2), of_key("7", 2), of_key("8", 2)};
  co_await bench.settle(last);
  co_await take(bench, worker, "6 7");
}

Step<void> refuses_other_numbers(JobBench& bench) {
  for (const int number : {0, -1, 1001}) {
    const Error refused = co_await bench.enqueue_error(of_key("x", number));
    need(refused.code() == Errc::invalid_argument, "a number out of range is not invalid");
  }
  co_await bench.enqueue(of_key("1", 1000));
  co_await bench.enqueue(of_key("2", 1000));
  const WorkerId worker = co_await bench.worker();
  co_await take(bench, worker, "1 2");
}

constexpr std::array<StoreCase<JobStoreSides>, 10> kCases{{
    {"gives jobs of one order key as many turns as they say, in order",
     &run_case<gives_turns_in_order>},
    {"counts turns of one order key within a call", &run_case<counts_jobs_of_one_call>},
    {"gives fewer turns once those that say less are next", &run_case<lowers_the_number>},
    {"gives more turns once those that say more are next", &run_case<raises_the_number>},
    {"gives several turns at once up to one that says less", &run_case<stops_at_a_lower_number>},
    {"has redriven jobs wait for a turn", &run_case<lines_up_the_redriven>},
    {"gives the turn of an expired job to the next", &run_case<ends_the_turn_of_the_expired>},
    {"leaves jobs of dead workers their turn", &run_case<keeps_turns_of_the_rescued>},
    {"has jobs of a settlement wait for a turn", &run_case<lines_up_what_follows>},
    {"refuses numbers of turns that are out of range", &run_case<refuses_other_numbers>},
}};

}  // namespace

std::span<const StoreCase<JobStoreSides>> job_order_cases() noexcept { return kCases; }

}  // namespace aiserve::inline v0::testing
