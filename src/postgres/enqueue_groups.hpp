// EnqueueGroups: commits calls of enqueue() that wait at the same time in one transaction, and
// answers each of them after the commit. Calls with unique or order keys go alone: they may have
// to wait for another process that has the key.
#pragma once

#include <deque>

#include "postgres/job_hub.hpp"
#include "postgres/job_transaction.hpp"
#include "postgres/postgres_core.hpp"

namespace aiserve::inline v0::pg {

/// A call and whoever waits for it.
class EnqueueRequest final : public detail::Operation {
 public:
  explicit EnqueueRequest(std::span<const NewJob> given) : jobs(given.begin(), given.end()) {}
  bool has_keys() const noexcept;

  const std::vector<NewJob> jobs;
  JobTransaction::EnqueueResult answer;
};
using EnqueueRequestPtr = detail::IntrusivePtr<EnqueueRequest>;

class EnqueueGroups : public std::enable_shared_from_this<EnqueueGroups> {
 public:
  EnqueueGroups(PostgresCore& core, std::shared_ptr<JobHub> hub) noexcept
      : core_(core), hub_(std::move(hub)) {}

  Async<std::vector<Enqueued>> enqueue(const Context& ctx, std::span<const NewJob> jobs);

 private:
  class Group;

  std::optional<Error> add(EnqueueRequestPtr request);
  std::optional<Error> send(std::vector<EnqueueRequestPtr> requests, bool gathers);
  std::vector<EnqueueRequestPtr> take();
  void ended() noexcept;

  PostgresCore& core_;
  const std::shared_ptr<JobHub> hub_;
  std::mutex mutex_;
  std::deque<EnqueueRequestPtr> waiting_;
  int gathering_ = 0;  // groups that take, or took, what waits
};

}  // namespace aiserve::inline v0::pg
