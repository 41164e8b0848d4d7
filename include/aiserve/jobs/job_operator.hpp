/// JobOperator: the port through which whoever runs a queue sees and controls it as a whole, across
/// tenants; one tenant's jobs are JobReader's. Never give it to a tenant.
///
/// A pause is kept by the store: it holds for all processes and across restarts, until resume().
/// Jobs are enqueued and those that run go on, none is handed out. (JobQueue::pause() is about one
/// process.) *Thread safety:* called on I/O threads of one Runtime, from several at once.
/// *Errors:* invalid_argument, overloaded, unavailable, and those of the Context.
///
///     Result<JobStoreStats> now = co_await store.stats(ctx);
///     Result<void> paused = co_await store.pause(ctx, "classify");
#pragma once

#include <aiserve/core/async.hpp>
#include <aiserve/core/deadline.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aiserve::inline v0 {

struct JobKindStats {
  std::string kind{};        ///< as stored, see job_kind()
  std::int64_t waiting = 0;  ///< for their time, their turn or their next attempt
  std::int64_t ready = 0;
  std::int64_t running = 0;
  std::optional<WallTime> oldest{};  ///< since when the next of the ready ones waits
  bool paused = false;
};

struct JobStoreStats {
  std::vector<JobKindStats> kinds{};  ///< those with unfinished jobs, and those paused, by name
  bool paused = false;                ///< all kinds
  std::int64_t finished = 0;          ///< kept jobs with an outcome
  std::int64_t dead = 0;              ///< of those: discarded
  std::int64_t workers = 0;           ///< with a lease
  std::int64_t events = 0;            ///< that wait in the outbox
};

class JobOperator {
 public:
  virtual ~JobOperator() = default;

  virtual Async<JobStoreStats> stats(const Context& ctx) = 0;
  /// Of a kind as stored, at most 128 bytes; empty: of all kinds.
  virtual Async<void> pause(const Context& ctx, std::string_view kind) = 0;
  /// Empty: of all kinds, also those that were paused one by one.
  virtual Async<void> resume(const Context& ctx, std::string_view kind) = 0;
  /// Deletes jobs that ended before then, with their inputs and results, at most `limit` (1 to
  /// 100,000) at once; how many.
  virtual Async<int> prune(const Context& ctx, WallTime before, int limit) = 0;
};

}  // namespace aiserve::inline v0
