// EnqueueGroups: commits calls of enqueue() that wait at the same time in one transaction, and
// answers each of them after the commit. Such a group never waits for a lock, since it holds calls
// of many tenants: what others have locked goes on to a second line, as do calls with unique or
// order keys. Those wait, one queue's at a time, on some of the connections only.
#pragma once

#include "postgres/enqueue_line.hpp"
#include "postgres/job_hub.hpp"
#include "postgres/postgres_core.hpp"

namespace aiserve::inline v0::pg {

class EnqueueGroups : public std::enable_shared_from_this<EnqueueGroups> {
 public:
  EnqueueGroups(PostgresCore& core, std::shared_ptr<JobHub> hub) noexcept;

  Async<std::vector<Enqueued>> enqueue(const Context& ctx, std::span<const NewJob> jobs);

 private:
  class Group;
  struct Line {
    const Patience patience;
    const int most;
    EnqueueLine waiting{};
    int groups = 0;  // that take, or took, what waits
  };

  std::optional<Error> add(Line& line, const EnqueueRequestPtr& request);
  /// What add() refuses is answered.
  void move_on(const EnqueueRequestPtr& request);
  std::optional<Error> send(Line& line);
  EnqueueLine::Requests take(Line& line);
  void ended(Line& line) noexcept;

  PostgresCore& core_;
  const std::shared_ptr<JobHub> hub_;
  std::mutex mutex_;
  Line quick_;
  Line patient_;
};

}  // namespace aiserve::inline v0::pg
