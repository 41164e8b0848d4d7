// JobLoad: producers and a worker that go on whatever becomes of the server, and know what they
// were told: in the end nothing that was acknowledged may be missing, and no outcome recorded
// twice.
#pragma once

#include <mutex>
#include <set>

#include <doctest/doctest.h>

#include "aiserve/core/runtime.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/postgres/postgres_job_store.hpp"
#include "unit/campaigns/load_threads.hpp"

namespace aiserve::inline v0::testing {

using namespace std::chrono_literals;

class JobLoad {
 public:
  explicit JobLoad(const std::string& dsn)
      : telemetry_({.log_sink = [](LogLevel, std::string_view) {}}),
        runtime_({.telemetry = &telemetry_}),
        store_(runtime_, {.dsn = dsn, .timeout = 5s, .max_attempts = 2}) {
    runtime_.start();
    for (int i = 0; i < 3; ++i) threads_.add([this] { produce(); });
    threads_.add([this] { work_until([this] { return threads_.ended(); }); });
  }
  ~JobLoad() {
    threads_.end();
    runtime_.shutdown();
  }

  LoadThreads& threads() noexcept { return threads_; }
  /// What is still there gets its outcome, in peace.
  void finish_all() {
    const std::vector<std::string_view> kinds{"kind"};
    work_until([&] {
      (void)block_on(runtime_, store_.maintain(ctx_, 1'000));
      const auto left = block_on(runtime_, store_.backlog(ctx_, kinds));
      return left.ok() && left->empty();
    });
  }
  void check() {
    CHECK(enqueued_.size() > 50);
    CHECK(twice_ == 0);
    for (const JobId id : enqueued_) CHECK(find(id).state == JobState::completed);
    for (const JobId id : completed_) {
      CHECK(find(id).result->text() == std::to_string(id.value()));
    }
  }

 private:
  void produce() {
    NewJob tough(tenant_, "kind", Bytes::literal("input"));
    tough.max_attempts = 1'000;
    tough.max_crashes = 1'000;
    const std::vector<NewJob> jobs(3, tough);
    while (!threads_.ended()) {
      const auto made = block_on(runtime_, store_.enqueue(ctx_, jobs));
      if (!made) continue;
      const std::scoped_lock lock(mutex_);
      for (const Enqueued& one : *made) enqueued_.push_back(one.id);
      threads_.acknowledged();
    }
  }

  /// Connections may still be those of a server that is gone.
  JobInfo find(JobId id) {
    Result<JobInfo> info = block_on(runtime_, store_.get(ctx_, tenant_, id));
    while (!info && info.error().code() == Errc::unavailable) {
      info = block_on(runtime_, store_.get(ctx_, tenant_, id));
    }
    REQUIRE_MESSAGE(info.ok(), "an acknowledged job is lost: ", id.value());
    return *info;
  }

  /// As one incarnation, which leaves at the end.
  template <class Ended>
  void work_until(Ended ended) {
    const std::vector<ClaimQuota> quotas{{tenant_, "kind", 8}};
    WorkerId worker = WorkerId::generate();
    while (!ended()) {
      const auto alive = block_on(runtime_, store_.heartbeat(ctx_, worker, 3s));
      if (!alive) continue;
      if (alive->lost) worker = WorkerId::generate();
      const auto claimed = block_on(runtime_, store_.claim(ctx_, worker, quotas));
      if (claimed) settle(worker, *claimed);
      if (!claimed) give_up(worker);
    }
    give_up(worker);
  }
  void give_up(WorkerId& worker) {
    // What it claimed without hearing of it goes to the next one.
    (void)block_on(runtime_, store_.heartbeat(ctx_, worker, 0ms));
    (void)block_on(runtime_, store_.maintain(ctx_, 1'000));
    worker = WorkerId::generate();
  }
  void settle(WorkerId worker, const std::vector<ClaimedJob>& claimed) {
    std::vector<Settlement> done;
    for (const ClaimedJob& one : claimed) {
      done.emplace_back(one, worker, JobOutcomeKind::done);
      done.back().result = Bytes::copy(std::to_string(one.id.value()));
    }
    const auto settled = block_on(runtime_, store_.settle(ctx_, done));
    const std::scoped_lock lock(mutex_);
    for (std::size_t i = 0; settled && i < done.size(); ++i) {
      if ((*settled)[i] != Settled::applied) continue;
      if (!completed_.insert(done[i].id).second) ++twice_;
    }
  }

  const Context ctx_ = Context::background();
  const TenantId tenant_{"t"};
  Telemetry telemetry_;
  Runtime runtime_;
  PostgresJobStore store_;
  std::mutex mutex_;
  std::vector<JobId> enqueued_;
  std::set<JobId> completed_;
  int twice_ = 0;
  LoadThreads threads_;
};

}  // namespace aiserve::inline v0::testing
