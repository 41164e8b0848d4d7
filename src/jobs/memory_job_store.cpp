#include "aiserve/jobs/memory_job_store.hpp"

#include <mutex>

#include "jobs/check_job.hpp"
#include "jobs/memory_jobs.hpp"

namespace aiserve::inline v0 {
namespace {

constexpr int kPromotedAtOnce = 1000;

MemoryJobStoreOptions checked(const MemoryJobStoreOptions& options) {
  const auto require = [](bool holds, const char* what) {
    if (!holds) throw ConfigError(std::string("memory job store: ") + what);
  };
  require(options.max_size > 0, "max_size must be above 0");
  require(options.max_jobs > 0, "max_jobs must be above 0");
  require(options.retention >= std::chrono::seconds(1), "retention must be at least 1 s");
  return options;
}

Result<void> check_between(int value, int most, const char* what) {
  if (value >= 1 && value <= most) return success();
  return Error(Errc::invalid_argument, std::string(what) + " must be 1 to " + std::to_string(most));
}

}  // namespace

struct MemoryJobStore::Impl {
  explicit Impl(const MemoryJobStoreOptions& given)
      : options(checked(given)), clock(given.clock != nullptr ? *given.clock : Clock::steady()) {}

  /// `work(MemoryJobs&, const JobTime&)` alone; then tells whoever waits for ready jobs.
  template <class Work>
  auto run(const Context& ctx, const Work& work)
      -> std::invoke_result_t<const Work&, detail::MemoryJobs&, const detail::JobTime&> {
    if (const Result<void> alive = ctx.check(clock.now()); !alive) return alive.error();
    std::unique_lock lock(mutex);
    auto result = work(jobs, time());
    const bool made_ready = jobs.take_made_ready();
    lock.unlock();
    if (made_ready && ready) ready();
    return result;
  }

  detail::JobTime time() const noexcept {
    return {clock.wall_now().time_since_epoch().count(), clock.now().time_since_epoch().count()};
  }

  const MemoryJobStoreOptions options;
  const Clock& clock;
  std::mutex mutex;
  detail::MemoryJobs jobs;
  std::function<void()> ready;
};

using detail::JobTime;
using detail::MemoryJobs;

MemoryJobStore::MemoryJobStore(MemoryJobStoreOptions options)
    : impl_(std::make_unique<Impl>(options)) {}
MemoryJobStore::~MemoryJobStore() = default;

void MemoryJobStore::on_ready(std::function<void()> ready) { impl_->ready = std::move(ready); }

Async<std::vector<Enqueued>> MemoryJobStore::enqueue(const Context& ctx,
                                                     std::span<const NewJob> jobs) {
  const Result<void> good = detail::check_jobs(jobs, impl_->options.max_size);
  if (!good) co_return good.error();
  co_return impl_->run(
      ctx, [&](MemoryJobs& all, const JobTime& time) -> Result<std::vector<Enqueued>> {
        const Result<void> admitted = all.admit(jobs, impl_->options.max_jobs, time);
        if (!admitted) return admitted.error();
        std::vector<Enqueued> done;
        done.reserve(jobs.size());
        for (const NewJob& job : jobs) done.push_back(all.enqueue(job, time));
        return done;
      });
}

Async<std::vector<Backlog>> MemoryJobStore::backlog(const Context& ctx,
                                                    std::span<const std::string_view> kinds) {
  co_return impl_->run(ctx,
                       [&](MemoryJobs& all, const JobTime& time) -> Result<std::vector<Backlog>> {
                         all.promote(time, kPromotedAtOnce);
                         all.take_made_ready();
                         std::vector<Backlog> rows;
                         for (const std::string_view kind : kinds) {
                           std::vector<Backlog> some = all.backlog(kind);
                           std::move(some.begin(), some.end(), std::back_inserter(rows));
                         }
                         return rows;
                       });
}

Async<std::vector<ClaimedJob>> MemoryJobStore::claim(const Context& ctx, WorkerId worker,
                                                     std::span<const ClaimQuota> quotas) {
  if (const Result<void> good = detail::check_quotas(quotas); !good) co_return good.error();
  co_return impl_->run(
      ctx, [&](MemoryJobs& all, const JobTime& time) -> Result<std::vector<ClaimedJob>> {
        if (!all.has_lease(worker, time)) return Error(Errc::conflict, "the worker has no lease");
        std::vector<ClaimedJob> claimed;
        for (const ClaimQuota& quota : quotas) all.claim(worker, quota, time, claimed);
        return claimed;
      });
}

Async<std::vector<Settled>> MemoryJobStore::settle(const Context& ctx,
                                                   std::span<const Settlement> settlements) {
  const std::size_t most = impl_->options.max_size;
  const Result<void> good = detail::check_settlements(settlements, most, most);
  if (!good) co_return good.error();
  co_return impl_->run(ctx,
                       [&](MemoryJobs& all, const JobTime& time) -> Result<std::vector<Settled>> {
                         std::vector<Settled> settled;
                         settled.reserve(settlements.size());
                         for (const Settlement& one : settlements)
                           settled.push_back(all.settle(one, time));
                         return settled;
                       });
}

Async<HeartbeatReply> MemoryJobStore::heartbeat(const Context& ctx, WorkerId worker,
                                                std::chrono::milliseconds lease) {
  if (lease.count() < 0) co_return Error(Errc::invalid_argument, "the lease must not be negative");
  co_return impl_->run(ctx, [&](MemoryJobs& all, const JobTime& time) -> Result<HeartbeatReply> {
    return all.heartbeat(worker, lease, time);
  });
}

Async<MaintenanceReport> MemoryJobStore::maintain(const Context& ctx, int max_rows) {
  if (const auto good = check_between(max_rows, 100'000, "max_rows"); !good) {
    co_return good.error();
  }
  const std::int64_t kept = Duration(impl_->options.retention).count();
  co_return impl_->run(ctx, [&](MemoryJobs& all, const JobTime& time) -> Result<MaintenanceReport> {
    return all.maintain(max_rows, kept, time);
  });
}

Async<JobInfo> MemoryJobStore::get(const Context& ctx, const TenantId& tenant, JobId id) {
  co_return impl_->run(ctx, [&](MemoryJobs& all, const JobTime&) { return all.get(tenant, id); });
}

Async<Bytes> MemoryJobStore::input(const Context& ctx, const TenantId& tenant, JobId id) {
  co_return impl_->run(ctx, [&](MemoryJobs& all, const JobTime&) { return all.input(tenant, id); });
}

Async<std::vector<JobInfo>> MemoryJobStore::list(const Context& ctx, const TenantId& tenant,
                                                 const JobPage& page) {
  if (const auto good = check_between(page.limit, 1000, "limit"); !good) co_return good.error();
  co_return impl_->run(ctx, [&](MemoryJobs& all, const JobTime&) -> Result<std::vector<JobInfo>> {
    return all.list(tenant, page);
  });
}

Async<JobInfo> MemoryJobStore::control(const Context& ctx, const TenantId& tenant, JobId id,
                                       JobAction action) {
  co_return impl_->run(ctx, [&](MemoryJobs& all, const JobTime& time) {
    return all.control(tenant, id, action, time);
  });
}

Async<std::vector<bool>> MemoryJobStore::refers(const Context& ctx, const TenantId& tenant,
                                                std::span<const Bytes> references) {
  co_return impl_->run(ctx, [&](MemoryJobs& all, const JobTime&) -> Result<std::vector<bool>> {
    return all.refers(tenant, references);
  });
}

Async<JobStoreStats> MemoryJobStore::stats(const Context& ctx) {
  co_return impl_->run(ctx, [](MemoryJobs& all, const JobTime& time) -> Result<JobStoreStats> {
    return all.stats(time);
  });
}

Async<void> MemoryJobStore::pause(const Context& ctx, std::string_view kind) {
  if (const Result<void> good = detail::check_pause(kind); !good) co_return good.error();
  co_return impl_->run(ctx, [&](MemoryJobs& all, const JobTime&) -> Result<void> {
    all.pause(kind);
    return success();
  });
}

Async<void> MemoryJobStore::resume(const Context& ctx, std::string_view kind) {
  if (const Result<void> good = detail::check_pause(kind); !good) co_return good.error();
  co_return impl_->run(ctx, [&](MemoryJobs& all, const JobTime&) -> Result<void> {
    all.resume(kind);
    return success();
  });
}

Async<int> MemoryJobStore::prune(const Context& ctx, WallTime before, int limit) {
  if (const auto good = check_between(limit, 100'000, "limit"); !good) co_return good.error();
  const std::int64_t end = before.time_since_epoch().count();
  co_return impl_->run(ctx, [&](MemoryJobs& all, const JobTime&) -> Result<int> {
    return all.prune_finished(limit, end);
  });
}

}  // namespace aiserve::inline v0
