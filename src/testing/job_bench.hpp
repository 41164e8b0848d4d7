// JobBench: short words for the cases of the job store's conformance suite. Its operations throw
// ResultError when the store fails; run_case() makes an error of that.
#pragma once

#include "aiserve/testing/job_store_conformance.hpp"
#include "testing/conformance.hpp"

namespace aiserve::inline v0::testing {

using namespace std::chrono_literals;

template <class T>
using Step = boost::asio::awaitable<T>;

inline void need(bool held, const char* otherwise) {
  if (!held) throw ResultError(broken(otherwise));
}

class JobBench {
 public:
  JobBench(const Context& ctx, JobStoreSides& sides, const PassTime& pass)
      : ctx_(ctx),
        store_(sides.store),
        reader_(sides.reader),
        operations_(sides.operations),
        pass_(pass) {}

  static NewJob job(std::string_view input, const TenantId& tenant = kOne) {
    return NewJob(tenant, "kind", Bytes::copy(input));
  }

  Step<Enqueued> enqueue(NewJob job) {
    const std::vector<NewJob> jobs{std::move(job)};
    const auto done = co_await store_.enqueue(ctx_, jobs);
    co_return done.value().at(0);
  }
  Step<Error> enqueue_error(NewJob job) {
    const std::vector<NewJob> jobs{std::move(job)};
    const auto done = co_await store_.enqueue(ctx_, jobs);
    need(!done.ok(), "enqueue() took what it must refuse");
    co_return done.error();
  }
  Step<WorkerId> worker() {
    const WorkerId id = WorkerId::generate();
    const HeartbeatReply reply = co_await heartbeat(id);
    need(!reply.lost, "a new worker has lost its lease");
    co_return id;
  }
  Step<HeartbeatReply> heartbeat(WorkerId worker, std::chrono::milliseconds lease = 1s) {
    auto reply = co_await store_.heartbeat(ctx_, worker, lease);
    co_return std::move(reply).value();
  }
  Step<std::vector<ClaimedJob>> claim(WorkerId worker, int n, TenantId tenant = kOne) {
    const std::vector<ClaimQuota> quotas{{tenant, "kind", n}};
    auto claimed = co_await store_.claim(ctx_, worker, quotas);
    co_return std::move(claimed).value();
  }
  /// Exactly one is there, and it is this one.
  Step<ClaimedJob> claim_one(WorkerId worker, std::string_view input, TenantId tenant = kOne) {
    std::vector<ClaimedJob> claimed = co_await claim(worker, 1, tenant);
    need(claimed.size() == 1, "claim() gave no job");
    need(claimed[0].input.text() == input, "claim() gave another job than the next one");
    co_return std::move(claimed[0]);
  }
  Step<Settled> settle(Settlement settlement) {
    const std::vector<Settlement> settlements{std::move(settlement)};
    const auto settled = co_await store_.settle(ctx_, settlements);
    co_return settled.value().at(0);
  }
  Step<void> settle(const ClaimedJob& job, WorkerId worker, JobOutcomeKind outcome) {
    const Settlement settlement(job, worker, outcome);
    const Settled settled = co_await settle(settlement);
    need(settled == Settled::applied, "a settlement in time is stale");
  }
  Step<Backlog> backlog(TenantId tenant = kOne) {
    const std::vector<std::string_view> kinds{"kind"};
    const auto all = co_await store_.backlog(ctx_, kinds);
    for (const Backlog& one : all.value()) {
      if (one.tenant == tenant) co_return one;
    }
    co_return Backlog{};
  }
  Step<MaintenanceReport> maintain() {
    auto report = co_await store_.maintain(ctx_, 1000);
    co_return std::move(report).value();
  }
  Step<JobInfo> info(JobId id, TenantId tenant = kOne) {
    auto found = co_await reader_.get(ctx_, tenant, id);
    co_return std::move(found).value();
  }
  Step<void> expect(JobId id, JobState state) {
    const JobInfo found = co_await info(id);
    if (found.state == state) co_return;
    throw ResultError(broken("a job is " + std::string(to_string(found.state)) + " instead of " +
                             std::string(to_string(state))));
  }
  Step<Result<JobInfo>> control(JobId id, JobAction action, TenantId tenant = kOne) {
    co_return co_await reader_.control(ctx_, tenant, id, action);
  }
  void pass(Duration by) const { pass_(by); }
  /// The store's wall clock, as a job that was enqueued now tells it.
  Step<WallTime> now() {
    const TenantId tenant("conformance-clock");
    const NewJob clock(tenant, "clock", Bytes());
    const Enqueued probe = co_await enqueue(clock);
    const JobInfo found = co_await info(probe.id, tenant);
    co_return found.created_at;
  }

  const Context& ctx() const noexcept { return ctx_; }
  JobStore& store() const noexcept { return store_; }
  JobReader& reader() const noexcept { return reader_; }
  JobOperator& operations() const {
    need(operations_ != nullptr, "the store has no JobOperator");
    return *operations_;
  }

 private:
  const Context& ctx_;
  JobStore& store_;
  JobReader& reader_;
  JobOperator* operations_;
  const PassTime& pass_;
};

template <Step<void> (*kCase)(JobBench&)>
Async<void> run_case(const Context& ctx, JobStoreSides& sides, const PassTime& pass) {
  JobBench bench(ctx, sides, pass);
  try {
    co_await kCase(bench);
  } catch (const ResultError& failed) {
    co_return failed.error();
  }
  co_return success();
}

std::span<const StoreCase<JobStoreSides>> job_life_cases() noexcept;
std::span<const StoreCase<JobStoreSides>> job_order_cases() noexcept;
std::span<const StoreCase<JobStoreSides>> job_rule_cases() noexcept;

}  // namespace aiserve::inline v0::testing
