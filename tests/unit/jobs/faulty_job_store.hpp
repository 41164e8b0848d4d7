// A JobStore that fails, hangs or counts as a test wants, over one in memory.
#pragma once

#include <set>
#include <utility>

#include "aiserve/jobs/memory_job_store.hpp"
#include "aiserve/testing/sim_runtime.hpp"

namespace aiserve::testing {

class FaultyJobStore final : public JobStore {
 public:
  explicit FaultyJobStore(MemoryJobStore& below) : below_(below) {}

  Async<std::vector<Enqueued>> enqueue(const Context& ctx, std::span<const NewJob> jobs) override {
    // As in a process that dies before the commit.
    if (fail_enqueues > 0 && fail_enqueues-- > 0) co_return Error(Errc::unavailable, "lost");
    Result<std::vector<Enqueued>> done = co_await below_.enqueue(ctx, jobs);
    if (done && ready_) ready_();
    co_return done;
  }
  Async<std::vector<Backlog>> backlog(const Context& ctx,
                                      std::span<const std::string_view> kinds) override {
    ++backlogs;
    if (down) co_return Error(Errc::unavailable, "down");
    Result<std::vector<Backlog>> seen = co_await below_.backlog(ctx, kinds);
    if (!sees_no_claims || !seen) co_return seen;
    // As a server does that reads it before a claim commits which was begun before.
    Result<std::vector<Backlog>> before = std::exchange(last_seen_, *seen);
    co_return claims > std::exchange(claims_seen_, claims) ? before : seen;
  }
  Async<std::vector<ClaimedJob>> claim(const Context& ctx, WorkerId worker,
                                       std::span<const ClaimQuota> quotas) override {
    ++claims;
    if (down) co_return Error(Errc::unavailable, "down");
    Result<std::vector<ClaimedJob>> claimed = co_await below_.claim(ctx, worker, quotas);
    if (slow_claims > Duration(0)) static_cast<void>(co_await sleep(ctx, slow_claims));
    // Its answer is lost: the jobs are this worker's and it does not know.
    if (lose_claims > 0 && claimed.ok() && !claimed->empty()) {
      --lose_claims;
      co_return Error(Errc::unavailable, "lost");
    }
    co_return claimed;
  }
  Async<std::vector<Settled>> settle(const Context& ctx,
                                     std::span<const Settlement> settlements) override {
    ++settles;
    settled += settlements.size();
    if (down) co_return Error(Errc::unavailable, "down");
    if (refuse_settles) co_return Error(Errc::unavailable, "down");
    for (const Settlement& one : settlements) {
      const bool outcome = one.outcome != JobOutcomeKind::give_back;
      if (refuse_outcomes && outcome) co_return Error(Errc::invalid_argument, "refused");
    }
    Result<std::vector<Settled>> done = co_await settle_free(ctx, settlements);
    if (lose_settles > 0) {
      --lose_settles;
      co_return Error(Errc::unavailable, "lost");
    }
    co_return done;
  }
  Async<HeartbeatReply> heartbeat(const Context& ctx, WorkerId worker,
                                  std::chrono::milliseconds lease) override {
    ++heartbeats;
    if (down || deaf) co_return Error(Errc::unavailable, "down");
    co_return co_await below_.heartbeat(ctx, worker, lease);
  }
  Async<MaintenanceReport> maintain(const Context& ctx, int max_rows) override {
    ++maintains;
    if (down) co_return Error(Errc::unavailable, "down");
    Result<MaintenanceReport> report = co_await below_.maintain(ctx, max_rows);
    // A caller that asks at once each time would ask forever.
    if (report && clock_behind && maintains < 1000) report->next_due = WallTime{};
    co_return report;
  }
  /// As in a process of its own: told of what came through this store only.
  void on_ready(std::function<void()> ready) override { ready_ = std::move(ready); }

  bool down = false;
  bool deaf = false;            // to heartbeats
  bool sees_no_claims = false;  // a backlog is read beside a claim as if there was none
  bool clock_behind = false;    // a job is due, but not yet by the store's clock
  Duration slow_claims{0};
  bool refuse_outcomes = false;
  bool refuse_settles = false;  // for now
  std::set<JobId> held_up;      // others hold a key that their ends need
  int fail_enqueues = 0;
  int lose_claims = 0;
  int lose_settles = 0;
  int backlogs = 0;
  int claims = 0;
  int settles = 0;
  std::size_t settled = 0;
  int heartbeats = 0;
  int maintains = 0;

 private:
  /// Those of `held_up` later.
  Async<std::vector<Settled>> settle_free(const Context& ctx,
                                          std::span<const Settlement> settlements) {
    std::vector<Settled> answers;
    for (const Settlement& one : settlements) {
      if (held_up.contains(one.id)) {
        answers.push_back(Settled::later);
        continue;
      }
      const std::vector<Settlement> alone{one};
      const Result<std::vector<Settled>> done = co_await below_.settle(ctx, alone);
      if (!done) co_return done.error();
      answers.push_back(done->front());
    }
    co_return answers;
  }

  std::vector<Backlog> last_seen_;
  int claims_seen_ = 0;
  MemoryJobStore& below_;
  std::function<void()> ready_;
};

}  // namespace aiserve::testing
