#include "jobs/job_runner.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include "aiserve/core/telemetry.hpp"
#include "core/runtime_core.hpp"

namespace aiserve::inline v0::detail {
namespace asio = boost::asio;

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

asio::awaitable<JobOutcome> JobRunner::attempt(const JobRun& job) {
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

asio::awaitable<Result<JobOutcome>> JobRunner::call_handler(const JobRun& run) {
  ClaimedJob claimed = run.claimed;
  Result<Bytes> input = payloads_.decode(claimed.tenant, claimed.input);
  if (!input) co_return input.error();
  claimed.input = std::move(*input);
  const Job job(std::move(claimed), run.kind.name, run.kind.options.version);
  Result<JobOutcome> outcome = co_await run.kind.handler(run.ctx, job);
  if (outcome && outcome->kind() == JobOutcomeKind::done) {
    const Result<void> fits = payloads_.encode_result(run.claimed.tenant, *outcome);
    if (!fits) co_return fits.error();
  }
  co_return outcome;
}

}  // namespace aiserve::inline v0::detail
