// EnqueueLine: calls of enqueue() that wait for a transaction, in turns of their tenants, so that
// one tenant's many do not hold up another one's few. Not thread-safe.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "core/intrusive_ptr.hpp"
#include "core/operation.hpp"
#include "postgres/job_transaction.hpp"

namespace aiserve::inline v0::pg {

/// A call and whoever waits for it.
class EnqueueRequest final : public detail::Operation {
 public:
  explicit EnqueueRequest(std::span<const NewJob> given);

  const std::vector<NewJob> jobs;
  /// It wants a transaction of its own: it has keys, which others may hold, or it may be why a
  /// transaction failed.
  bool alone;
  JobTransaction::EnqueueResult answer;
};
using EnqueueRequestPtr = detail::IntrusivePtr<EnqueueRequest>;

class EnqueueLine {
 public:
  using Requests = std::vector<EnqueueRequestPtr>;

  void push(EnqueueRequestPtr request);
  /// As many as one transaction takes, of all tenants.
  Requests take_many();
  /// As many as one transaction takes of one queue, the next tenant's; or one that goes alone.
  Requests take_of_one_queue();
  /// False: it is not there.
  bool remove(const EnqueueRequestPtr& request);
  std::size_t size() const noexcept { return size_; }

 private:
  using Tenants = std::map<std::string, std::deque<EnqueueRequestPtr>>;

  EnqueueRequestPtr pop(Tenants::iterator tenant);
  Tenants::iterator next_turn();
  void end_turn(Tenants::iterator tenant);

  Tenants tenants_;
  std::deque<Tenants::iterator> turns_;  // of tenants that have requests
  std::size_t size_ = 0;
};

}  // namespace aiserve::inline v0::pg
