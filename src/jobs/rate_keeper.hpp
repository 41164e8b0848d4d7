// RateKeeper: what the rates of tenants, shared by all processes (jobs/rate_rows.hpp), let this one
// start. The planner asks and goes on; starts are taken from the rows beside the dispatcher's
// rounds, which never wait for them, and what was taken and not used is given back.
// A coroutine on the queue's thread.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "aiserve/core/runtime.hpp"
#include "jobs/bell.hpp"
#include "jobs/job_metrics.hpp"
#include "jobs/kind_table.hpp"
#include "jobs/rate_rows.hpp"

namespace aiserve::inline v0::detail {

class RateKeeper {
 public:
  RateKeeper(Runtime& runtime, const RateRows& rows, JobMetrics& metrics) noexcept
      : runtime_(runtime), rows_(rows), metrics_(metrics) {}

  bool empty() const noexcept { return rows_.empty(); }
  Task run();
  /// Any thread. Nothing is used afterwards.
  void end() noexcept;
  /// More may start than was known.
  std::function<void()> on_change;

  // From the queue's thread:
  /// What may be planned for: starts that were taken and those that may be had. If there are none,
  /// `next` becomes the time when to ask again, unless on_change() will tell.
  std::size_t may_start(const JobKind& kind, const TenantId& tenant, Deadline& next) const;
  /// How many of those planned may be claimed now; the others are asked for.
  std::size_t use(const JobKind& kind, const TenantId& tenant, std::size_t planned);
  /// One of those used has begun.
  void started(const JobKind& kind, const TenantId& tenant);
  /// What did not begin is free again, unless nobody knows whether it will.
  void claim_ended(bool answered);
  /// Forgets tenants that are at rest.
  void tidy();

 private:
  struct Account {
    Account(StoreKey its_key, const decide::StartRate& rate) noexcept
        : key(std::move(its_key)), limit(rate) {}
    bool at_rest() const noexcept { return !busy && taken == 0 && used == 0; }

    StoreKey key;
    const decide::StartRate& limit;
    std::optional<RateView> seen{};
    std::size_t wanted = 0;
    std::size_t taken = 0;  // from the row
    std::size_t used = 0;   // of those, by the claim under way
    bool busy = false;      // its row is read and written, or about to be
    TimePoint taken_at{};
  };

  Account& account(const JobKind& kind, const TenantId& tenant);
  std::vector<Account*> due(Deadline& next);
  Task attend(Context ctx, Account* account);
  Async<void> take(const Context& ctx, Account& account) const;
  Async<void> give_back(const Context& ctx, Account& account) const;
  void judge();
  void tell(const Error& error) const;
  Context in_time() const;
  TimePoint now() const noexcept { return runtime_.clock().now(); }

  Runtime& runtime_;
  const RateRows& rows_;
  JobMetrics& metrics_;
  std::map<std::pair<const JobKind*, TenantId>, Account> accounts_;
  std::deque<Account*> asked_;
  std::vector<Account*> in_claim_;
  TimePoint rest_until_ = TimePoint::min();
  Duration rest_{0};
  std::optional<Error> failed_;
  Bell bell_;
  std::atomic<bool> ended_{false};
};

}  // namespace aiserve::inline v0::detail
