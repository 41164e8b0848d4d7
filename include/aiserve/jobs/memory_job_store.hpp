/// MemoryJobStore: a JobStore, JobReader and JobOperator that ends with the process: for a host's
/// tests, with testing::SimRuntime in virtual time, and for work that may be lost. Keeps the rules
/// of the durable stores. *Thread safety:* any thread. *Errors:* those of the ports.
///
///     testing::SimRuntime sim;
///     MemoryJobStore store({.clock = &sim.clock()});
///     JobQueue jobs(sim.runtime(), store);
#pragma once

#include <aiserve/core/clock.hpp>
#include <aiserve/jobs/job_operator.hpp>
#include <aiserve/jobs/job_reader.hpp>
#include <aiserve/jobs/job_store.hpp>

#include <cstddef>
#include <memory>

namespace aiserve::inline v0 {

struct MemoryJobStoreOptions {
  /// Largest input, and largest result, in bytes, above 0.
  std::size_t max_size = std::size_t{16} << 20;
  /// Unfinished and finished jobs, above 0: beyond it enqueue() is overloaded.
  std::size_t max_jobs = 1'000'000;
  /// How long finished jobs are kept, at least 1 s.
  std::chrono::milliseconds retention = std::chrono::hours(1);
  /// Default: Clock::steady().
  const Clock* clock = nullptr;
};

class MemoryJobStore final : public JobStore, public JobReader, public JobOperator {
 public:
  /// Throws ConfigError when an option is out of its range.
  explicit MemoryJobStore(MemoryJobStoreOptions options = {});
  ~MemoryJobStore() override;

  Async<std::vector<Enqueued>> enqueue(const Context& ctx, std::span<const NewJob> jobs) override;
  Async<std::vector<Backlog>> backlog(const Context& ctx,
                                      std::span<const std::string_view> kinds) override;
  Async<std::vector<ClaimedJob>> claim(const Context& ctx, WorkerId worker,
                                       std::span<const ClaimQuota> quotas) override;
  Async<std::vector<Settled>> settle(const Context& ctx,
                                     std::span<const Settlement> settlements) override;
  Async<HeartbeatReply> heartbeat(const Context& ctx, WorkerId worker,
                                  std::chrono::milliseconds lease) override;
  Async<MaintenanceReport> maintain(const Context& ctx, int max_rows) override;
  void on_ready(std::function<void()> ready) override;

  Async<JobInfo> get(const Context& ctx, const TenantId& tenant, JobId id) override;
  Async<Bytes> input(const Context& ctx, const TenantId& tenant, JobId id) override;
  Async<std::vector<JobInfo>> list(const Context& ctx, const TenantId& tenant,
                                   const JobPage& page) override;
  Async<JobInfo> control(const Context& ctx, const TenantId& tenant, JobId id,
                         JobAction action) override;
  Async<std::vector<bool>> refers(const Context& ctx, const TenantId& tenant,
                                  std::span<const Bytes> references) override;

  Async<JobStoreStats> stats(const Context& ctx) override;
  Async<void> pause(const Context& ctx, std::string_view kind) override;
  Async<void> resume(const Context& ctx, std::string_view kind) override;
  Async<int> prune(const Context& ctx, WallTime before, int limit) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aiserve::inline v0
