// A process's connection to a job store that all processes of a simulation share: calls fail, are
// late, or take effect without an answer, as the dice say; and what the store really did is noted.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "aiserve/jobs/job_reader.hpp"
#include "aiserve/jobs/job_store.hpp"
#include "support/campaign.hpp"

namespace aiserve::inline v0::testing {

/// What happened to jobs, whatever the processes were told.
struct JobTruth {
  struct Life {
    int outcomes = 0;  ///< final ones that were recorded by a settlement
    int retries = 0;   ///< recorded ones
    int redrives = 0;
    int max_attempts = 5;   ///< of jobs that follow others: NewJob's default
    std::set<int> started;  ///< attempts that a handler saw
    std::string unique_key;
  };

  std::map<JobId, Life> jobs;
  std::map<std::string, std::map<JobId, int>> lines;  // by order key: how many may have a turn
};

/// Odds are one in so many; 0: never.
struct StoreFaults {
  bool cut_off = false;
  int fail = 0;
  int lose_answer = 0;
  int be_late = 0;
};

class UnrulyStore final : public JobStore {
 public:
  UnrulyStore(JobStore& below, JobReader& reader, Dice& dice, JobTruth& truth)
      : below_(below), reader_(reader), dice_(dice), truth_(truth) {}

  Async<std::vector<Enqueued>> enqueue(const Context& ctx, std::span<const NewJob> jobs) override {
    if (const Result<void> reached = co_await reach(ctx); !reached) co_return reached.error();
    Result<std::vector<Enqueued>> made = co_await below_.enqueue(ctx, jobs);
    if (!made) co_return made.error();
    for (std::size_t i = 0; i < jobs.size(); ++i) note(jobs[i], made->at(i));
    if (ready_) ready_();
    if (answer_is_lost()) co_return lost();
    co_return made;
  }
  Async<std::vector<Backlog>> backlog(const Context& ctx,
                                      std::span<const std::string_view> kinds) override {
    if (const Result<void> reached = co_await reach(ctx); !reached) co_return reached.error();
    co_return co_await below_.backlog(ctx, kinds);
  }
  Async<std::vector<ClaimedJob>> claim(const Context& ctx, WorkerId worker,
                                       std::span<const ClaimQuota> quotas) override {
    if (const Result<void> reached = co_await reach(ctx); !reached) co_return reached.error();
    Result<std::vector<ClaimedJob>> claimed = co_await below_.claim(ctx, worker, quotas);
    if (!claimed) co_return claimed.error();
    for (const ClaimedJob& job : *claimed) co_await check_order(ctx, job);
    if (answer_is_lost()) co_return lost();
    co_return claimed;
  }
  Async<std::vector<Settled>> settle(const Context& ctx,
                                     std::span<const Settlement> settlements) override {
    if (const Result<void> reached = co_await reach(ctx); !reached) co_return reached.error();
    Result<std::vector<Settled>> settled = co_await below_.settle(ctx, settlements);
    if (!settled) co_return settled.error();
    for (std::size_t i = 0; i < settlements.size(); ++i) {
      if (settled->at(i) == Settled::applied) co_await note(ctx, settlements[i]);
    }
    if (answer_is_lost()) co_return lost();
    co_return settled;
  }
  Async<HeartbeatReply> heartbeat(const Context& ctx, WorkerId worker,
                                  std::chrono::milliseconds lease) override {
    if (const Result<void> reached = co_await reach(ctx); !reached) co_return reached.error();
    Result<HeartbeatReply> reply = co_await below_.heartbeat(ctx, worker, lease);
    if (answer_is_lost()) co_return lost();
    co_return reply;
  }
  Async<MaintenanceReport> maintain(const Context& ctx, int max_rows) override {
    if (const Result<void> reached = co_await reach(ctx); !reached) co_return reached.error();
    co_return co_await below_.maintain(ctx, max_rows);
  }
  void on_ready(std::function<void()> ready) override { ready_ = std::move(ready); }

  StoreFaults faults;

 private:
  static Error lost() { return Error(Errc::unavailable, "the answer was lost"); }
  bool strikes(int odds) { return odds > 0 && dice_.once_in(odds); }
  bool answer_is_lost() { return faults.cut_off || strikes(faults.lose_answer); }

  Async<void> reach(const Context& ctx) {
    if (strikes(faults.be_late)) {
      const Duration late = std::chrono::milliseconds(dice_.roll(2'000));
      const Result<void> slept = co_await sleep(ctx, late);
      if (!slept) co_return slept.error();
    }
    if (faults.cut_off || strikes(faults.fail)) co_return Error(Errc::unavailable, "out of reach");
    co_return success();
  }

  void note(const NewJob& job, const Enqueued& made) {
    JobTruth::Life& life = truth_.jobs[made.id];
    if (made.existing) {
      CHECK(life.unique_key == job.unique->key());
      return;
    }
    life.max_attempts = job.max_attempts;
    if (job.unique) life.unique_key = job.unique->key();
    if (!job.order_key.empty()) {
      truth_.lines[job.order_key].emplace(made.id, job.order_concurrency);
    }
  }
  boost::asio::awaitable<void> note(const Context& ctx, const Settlement& settlement) {
    const Result<JobInfo> job = co_await reader_.get(ctx, settlement.tenant, settlement.id);
    JobTruth::Life& life = truth_.jobs[settlement.id];
    if (job && is_final(job->state)) {
      ++life.outcomes;
      CHECK(life.outcomes <= 1 + life.redrives);
    } else if (settlement.outcome == JobOutcomeKind::retry) {
      ++life.retries;
      CHECK(life.retries <= (life.max_attempts - 1) * (1 + life.redrives));
    }
    for (const NewJob& next : settlement.next) next_of(next);
  }
  /// Its id is not told; it is found in the list at the end.
  void next_of(const NewJob& job) { CHECK(job.order_key.empty()); }

  /// Turns are given in order: at most so many of its order key as it says, it included, were there
  /// before it and have not ended. Nor do more run than any of them says.
  boost::asio::awaitable<void> check_order(const Context& ctx, const ClaimedJob& job) {
    const auto line = truth_.lines.find(job.order_key);
    if (job.order_key.empty() || line == truth_.lines.end()) co_return;
    int before = 0;
    int running = 0;
    int most = 1;
    for (const auto& [other, may] : line->second) {
      const Result<JobInfo> info = co_await reader_.get(ctx, job.tenant, other);
      CHECK(info.ok());
      if (!info) continue;
      running += info->state == JobState::running ? 1 : 0;
      most = std::max(most, may);
      const bool redriven = truth_.jobs[other].redrives > 0;
      before += other < job.id && !redriven && !is_final(info->state) ? 1 : 0;
    }
    const auto own = line->second.find(job.id);
    CHECK(running <= most);
    if (own != line->second.end() && truth_.jobs[job.id].redrives == 0) CHECK(before < own->second);
  }

  JobStore& below_;
  JobReader& reader_;
  Dice& dice_;
  JobTruth& truth_;
  std::function<void()> ready_;
};

}  // namespace aiserve::inline v0::testing
