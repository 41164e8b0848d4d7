#include "jobs/lease_keeper.hpp"

#include <algorithm>

#include "aiserve/core/telemetry.hpp"

namespace aiserve::inline v0::detail {
namespace {

using namespace std::chrono_literals;

decide::Nanos nanos(TimePoint at) noexcept { return at.time_since_epoch().count(); }
Deadline at(decide::Nanos when) noexcept { return Deadline(TimePoint(Duration(when))); }

}  // namespace

void LeaseKeeper::end() noexcept {
  ended_.store(true, std::memory_order_release);
  bell_.ring();
}

Task LeaseKeeper::run() {
  while (!ended_.load(std::memory_order_acquire)) co_await live();
}

boost::asio::awaitable<Result<HeartbeatReply>> LeaseKeeper::beat(WorkerId worker, Duration patience,
                                                                 std::chrono::milliseconds lease) {
  const Context ctx = Context::background().with_deadline(Deadline::after(now(), patience));
  co_return co_await store_.heartbeat(ctx, worker, lease);
}

boost::asio::awaitable<void> LeaseKeeper::live() {
  const WorkerId worker = WorkerId::generate();
  const decide::Nanos lease = Duration(lease_).count();
  decide::LeaseWatch watch(lease, nanos(now()));
  const Result<HeartbeatReply> first = co_await beat(worker, lease_ / 4, lease_);
  if (!take(first) || !first) {
    const Duration pause = std::min<Duration>(lease_ / 10, 1s);
    co_await bell_.wait(Deadline::after(now(), pause));
    co_return;
  }
  dispatcher_.leased(worker);
  bool held = true;
  while (held) {
    co_await bell_.wait(at(std::min(watch.next_beat(), watch.lost_at())));
    if (ended_.load(std::memory_order_acquire)) break;
    const TimePoint sent = now();
    held = !watch.lost(nanos(sent));
    if (!held || nanos(sent) < watch.next_beat()) continue;
    watch.sent(nanos(sent));
    const Result<HeartbeatReply> reply = co_await beat(worker, lease_ / 12, lease_);
    held = take(reply) && (!reply || watch.renewed(nanos(sent), nanos(now())));
    if (held && reply) co_await give_back(worker, *reply);
  }
  if (held) {
    // In order: nothing is held any more, so nobody need wait for the lease to end.
    static_cast<void>(co_await beat(worker, 1s, 0ms));
    co_return;
  }
  metrics_.lease_lost.inc();
  runtime_.telemetry().log().error("the lease of this worker is lost, its jobs are cancelled");
  dispatcher_.lease_lost(worker);
}

boost::asio::awaitable<void> LeaseKeeper::give_back(WorkerId worker, const HeartbeatReply& reply) {
  const std::vector<Settlement> strays = dispatcher_.strays(worker, reply.running);
  if (strays.empty()) co_return;
  const Context ctx = Context::background().with_deadline(Deadline::after(now(), lease_ / 12));
  const Result<std::vector<Settled>> done = co_await store_.settle(ctx, strays);
  if (!done) {
    metrics_.store_errors.inc();  // the next heartbeat tells of them again
    co_return;
  }
  const auto count = std::count(done->begin(), done->end(), Settled::applied);
  metrics_.given_back.inc(static_cast<std::uint64_t>(count));
  runtime_.telemetry().log().warn("jobs whose claim was not answered were given back",
                                  {{"jobs", static_cast<std::int64_t>(count)}});
}

bool LeaseKeeper::take(const Result<HeartbeatReply>& reply) {
  if (!reply) {
    metrics_.store_errors.inc();
    return true;
  }
  for (const JobRef& job : reply->to_cancel) dispatcher_.cancel(job);
  return !reply->lost;
}

}  // namespace aiserve::inline v0::detail
