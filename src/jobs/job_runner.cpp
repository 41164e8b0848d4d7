#include "jobs/job_runner.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include "aiserve/core/telemetry.hpp"
#include "core/random.hpp"
#include "core/runtime_core.hpp"

namespace aiserve::inline v0::detail {
namespace asio = boost::asio;
namespace {

using namespace std::chrono_literals;

constexpr Duration kFirstOutage = 5s;
constexpr Duration kLongestOutage = 1min;
constexpr int kDoublings = 4;
constexpr Duration kRateTimeout = 2s;
constexpr Duration kLeastRest = 1ms;  // of a job that is too early for its order key
constexpr Duration kPatience = 5s;    // with an object, while the process ends
constexpr int kMostAnswers = 100;     // that are thrown away before attempts are used

/// Earlier attempts that cost the job none.
int uncounted(const JobRun& run) noexcept {
  return run.claimed.attempt - run.claimed.used_attempts;
}

}  // namespace

void JobRunner::start(JobRunPtr job, IoThread& home) {
  const auto turn = static_cast<int>(next_++ % static_cast<unsigned>(runtime_.io_threads()));
  IoThread* io = runtime_.core().io(turn);
  asio::co_spawn(io->executor(), run(std::move(job), &home), asio::detached);
}

Task JobRunner::run(JobRunPtr job, IoThread* home) {
  // Our operations end by their Context, never by Asio's cancellation.
  co_await asio::this_coro::throw_if_cancelled(false);
  job->outcome = co_await attempt(*job);
  home->push(job.detach());
}

asio::awaitable<JobOutcome> JobRunner::attempt(JobRun& job) {
  Span span = runtime_.telemetry().tracer().start("job " + job.kind.stored, job.ctx.trace());
  span.set("job", job.claimed.id.value());
  span.set("attempt", job.claimed.attempt);
  Result<JobOutcome> outcome;
  try {
    const DeadlineGuard guard(job.ctx);
    outcome = co_await call_handler(job);
  } catch (const ResultError& error) {
    outcome = error.error();
  } catch (...) {
    outcome = JobOutcome::retry(error_from_current_exception());
  }
  if (!outcome) outcome = JobOutcome::from(outcome.error());
  if (!outcome->error().empty()) span.fail(outcome->error());
  co_return std::move(*outcome);
}

asio::awaitable<Result<JobOutcome>> JobRunner::call_handler(JobRun& run) {
  const Result<void> in_time = co_await keep_order_rate(run);
  if (!in_time) co_return in_time.error();
  run.stage = JobRun::Stage::input;
  ClaimedJob claimed = run.claimed;
  Result<Bytes> input = co_await payloads_.load(run.ctx, claimed.tenant, claimed.input);
  if (!input) {
    run.put_off = outage(run, run.ctx, input.error());
    co_return input.error();
  }
  claimed.input = std::move(*input);
  const Job job(std::move(claimed), run.kind.name, run.kind.options.version);
  run.stage = JobRun::Stage::handler;
  Result<JobOutcome> outcome = co_await run.kind.handler(run.ctx, job);
  run.stage = JobRun::Stage::result;
  if (!outcome) co_return outcome;
  const Context ctx = keeping(run);
  const Result<void> stored = co_await payloads_.store_outcome(ctx, run.claimed.tenant, *outcome);
  if (stored) co_return outcome;
  if (uncounted(run) < kMostAnswers) run.put_off = outage(run, ctx, stored.error());
  co_return stored.error();
}

// Few others take from it meanwhile: of an order key `order_concurrency` jobs run at a time.
Async<void> JobRunner::keep_order_rate(JobRun& run) const {
  const decide::StartRate& rate = run.kind.order_rate;
  if (rates_.empty() || rate.per_second <= 0 || run.claimed.order_key.empty()) co_return success();
  const StoreKey key = rates_.key(run.claimed.tenant, run.kind.stored, run.claimed.order_key);
  const Context ctx = run.ctx.with_deadline(Deadline::after(runtime_.clock().now(), kRateTimeout));
  std::optional<RateView> seen;
  const Result<std::size_t> taken = co_await rates_.take(ctx, key, rate, 1, seen);
  const bool crowded = !taken && taken.error().code() == Errc::conflict;
  if (!taken && !crowded) {
    run.put_off = outage(run, run.ctx, Error(Errc::unavailable, "the rates of jobs are away"));
    co_return taken.error();
  }
  if (taken && *taken == 1) co_return success();
  run.early = true;
  run.put_off = std::max(rates_.until_next(rate, seen), kLeastRest);
  co_return Error(Errc::rate_limited, "the order key has no start left");
}

// Longer each time that the job was given back; jittered, so that a backlog does not come at once.
Duration JobRunner::outage(const JobRun& run, const Context& ctx, const Error& error) const {
  const bool passes = traits(error.code()).retryable && ctx.check(runtime_.clock().now()).ok();
  if (!passes) return Duration(0);
  const Duration longest =
      std::min(kLongestOutage, kFirstOutage * (1 << std::clamp(uncounted(run), 0, kDoublings)));
  const auto jitter = random_u64() % static_cast<std::uint64_t>(longest.count() / 4);
  return std::max<Duration>(longest - Duration(static_cast<std::int64_t>(jitter)),
                            error.retry_after().value_or(0ms));
}

// What a handler answers after it was asked to stop is recorded: so its object is stored as well.
Context JobRunner::keeping(const JobRun& run) const {
  if (run.ctx.reason() == CancelReason::lease_lost) return run.ctx;
  const decide::Nanos hard =
      decide::run_until(run.limits, run.claimed_at.time_since_epoch().count());
  Deadline end{TimePoint(Duration(hard))};
  if (run.ctx.reason() == CancelReason::shutdown) {
    end = end.earlier(Deadline::after(runtime_.clock().now(), kPatience));
  }
  const Context own = Context::background().with_tenant(run.ctx.tenant());
  return payloads_.in_time(own.with_trace(run.ctx.trace()).with_deadline(end));
}

}  // namespace aiserve::inline v0::detail
