#include "jobs/rate_keeper.hpp"

#include <algorithm>

#include "aiserve/core/telemetry.hpp"

namespace aiserve::inline v0::detail {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kAtOnce = 64;
constexpr Duration kCallTimeout = 2s;
constexpr Duration kHold = 250ms;  // of starts that no claim has used
constexpr Duration kFirstRest = 5ms;
constexpr Duration kLongestRest = 5s;

}  // namespace

void RateKeeper::end() noexcept {
  ended_.store(true, std::memory_order_release);
  bell_.ring();
}

RateKeeper::Account& RateKeeper::account(const JobKind& kind, const TenantId& tenant) {
  const auto found = accounts_.find({&kind, tenant});
  if (found != accounts_.end()) return found->second;
  StoreKey key = rows_.key(tenant, kind.stored, {});
  return accounts_.try_emplace({&kind, tenant}, std::move(key), kind.rate).first->second;
}

std::size_t RateKeeper::may_start(const JobKind& kind, const TenantId& tenant,
                                  Deadline& next) const {
  const auto found = accounts_.find({&kind, tenant});
  const bool resting = rest_until_ > now();
  if (resting) next = next.earlier(Deadline(rest_until_));
  if (found == accounts_.end()) return resting ? 0 : rows_.may_start(kind.rate, std::nullopt);
  const Account& known = found->second;
  if (known.busy || resting) return known.taken;
  const std::size_t may = known.taken + rows_.may_start(kind.rate, known.seen);
  if (may == 0) {
    next = next.earlier(Deadline::after(now(), rows_.until_next(kind.rate, known.seen)));
  }
  return may;
}

std::size_t RateKeeper::use(const JobKind& kind, const TenantId& tenant, std::size_t planned) {
  Account& its = account(kind, tenant);
  const std::size_t now_used = std::min(planned, its.taken);
  if (now_used > 0) {
    its.taken -= now_used;
    its.used += now_used;
    in_claim_.push_back(&its);
  }
  if (now_used < planned && !its.busy) {
    its.busy = true;
    its.wanted = planned - now_used;
    asked_.push_back(&its);
    bell_.ring();
  }
  return now_used;
}

void RateKeeper::started(const JobKind& kind, const TenantId& tenant) {
  Account& its = account(kind, tenant);
  if (its.used > 0) --its.used;
}

void RateKeeper::claim_ended(bool answered) {
  for (Account* one : in_claim_) {
    const std::size_t unused = std::exchange(one->used, 0);
    if (!answered || unused == 0) continue;
    one->taken += unused;
    one->taken_at = now();
    bell_.ring();
  }
  in_claim_.clear();
}

void RateKeeper::tidy() {
  std::erase_if(accounts_, [this](const auto& entry) {
    const Account& one = entry.second;
    return one.at_rest() && rows_.may_start(one.limit, one.seen) >= one.limit.burst;
  });
}

Context RateKeeper::in_time() const {
  return Context::background().with_deadline(Deadline::after(now(), kCallTimeout));
}

// Those to be attended to now, who asked first goes first; else `next` says when.
std::vector<RateKeeper::Account*> RateKeeper::due(Deadline& next) {
  std::vector<Account*> due;
  while (!asked_.empty() && due.size() < kAtOnce) {
    due.push_back(asked_.front());
    asked_.pop_front();
  }
  for (auto& entry : accounts_) {
    Account& one = entry.second;
    if (one.busy || one.taken == 0) continue;
    const Deadline held_until = Deadline::after(one.taken_at, kHold);
    if (!held_until.expired(now())) {
      next = next.earlier(held_until);
    } else if (due.size() < kAtOnce) {
      due.push_back(&one);
    }
  }
  return due;
}

Task RateKeeper::run() {
  while (!ended_.load(std::memory_order_acquire)) {
    Deadline next;
    const std::vector<Account*> now_due = due(next);
    if (now_due.empty()) {
      co_await bell_.wait(next);
      continue;
    }
    const Context ctx = in_time();
    std::vector<Task> tasks;
    tasks.reserve(now_due.size());
    for (Account* one : now_due) tasks.push_back(attend(ctx, one));
    co_await join(tasks);
    judge();
    if (on_change) on_change();
  }
  const Context ctx = in_time();
  std::vector<Task> tasks;
  tasks.reserve(accounts_.size());
  for (auto& entry : accounts_) {
    entry.second.wanted = 0;  // nobody waits for it any more
    if (entry.second.taken > 0) tasks.push_back(attend(ctx, &entry.second));
  }
  if (!tasks.empty()) co_await join(tasks);
  judge();
}

Task RateKeeper::attend(Context ctx, Account* account) {
  std::optional<Result<void>> done;
  account->busy = true;
  if (account->wanted > 0) {
    co_await into(take(ctx, *account), done);
  } else {
    co_await into(give_back(ctx, *account), done);
  }
  account->busy = false;
  if (!*done) failed_ = done->error();
}

Async<void> RateKeeper::take(const Context& ctx, Account& account) const {
  const std::size_t wanted = std::exchange(account.wanted, 0);
  const Result<std::size_t> taken =
      co_await rows_.take(ctx, account.key, account.limit, wanted, account.seen);
  if (!taken) co_return taken.error();
  account.taken += *taken;
  account.taken_at = now();
  co_return success();
}

// If it fails they are lost: fewer start than might.
Async<void> RateKeeper::give_back(const Context& ctx, Account& account) const {
  const std::size_t count = std::exchange(account.taken, 0);
  co_return co_await rows_.give_back(ctx, account.key, account.limit, count, account.seen);
}

// A store that is away is not asked in a circle.
void RateKeeper::judge() {
  const std::optional<Error> failed = std::exchange(failed_, std::nullopt);
  if (!failed) {
    rest_ = Duration(0);
    return;
  }
  if (failed->code() != Errc::conflict) {
    metrics_.store_errors.inc();
    if (rest_ == Duration(0)) tell(*failed);
  }
  rest_ = std::clamp(rest_ * 2, kFirstRest, kLongestRest);
  rest_until_ = now() + rest_;
}

void RateKeeper::tell(const Error& error) const {
  const std::string why = error.to_string();
  runtime_.telemetry().log().warn("the rates of jobs cannot be read now; those jobs wait",
                                  {{"error", why}});
}

}  // namespace aiserve::inline v0::detail
