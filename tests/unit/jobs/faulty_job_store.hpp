// A JobStore that fails, hangs or counts as a test wants, over one in memory.
#pragma once

#include "aiserve/jobs/memory_job_store.hpp"
#include "aiserve/testing/sim_runtime.hpp"

namespace aiserve::testing {

class FaultyJobStore final : public JobStore {
 public:
  explicit FaultyJobStore(MemoryJobStore& below) : below_(below) {}

  Async<std::vector<Enqueued>> enqueue(const Context& ctx, std::span<const NewJob> jobs) override {
    Result<std::vector<Enqueued>> done = co_await below_.enqueue(ctx, jobs);
    if (done && ready_) ready_();
    co_return done;
  }
  Async<std::vector<Backlog>> backlog(const Context& ctx,
                                      std::span<const std::string_view> kinds) override {
    ++backlogs;
    if (down) co_return Error(Errc::unavailable, "down");
    co_return co_await below_.backlog(ctx, kinds);
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
    Result<std::vector<Settled>> done = co_await below_.settle(ctx, settlements);
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
  bool deaf = false;          // to heartbeats
  bool clock_behind = false;  // a job is due, but not yet by the store's clock
  Duration slow_claims{0};
  int lose_claims = 0;
  int lose_settles = 0;
  int backlogs = 0;
  int claims = 0;
  int settles = 0;
  std::size_t settled = 0;
  int heartbeats = 0;
  int maintains = 0;

 private:
  MemoryJobStore& below_;
  std::function<void()> ready_;
};

}  // namespace aiserve::testing
