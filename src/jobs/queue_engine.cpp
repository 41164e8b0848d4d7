#include "jobs/queue_engine.hpp"

#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "core/json_text.hpp"
#include "core/runtime_core.hpp"
#include "jobs/check_queue_options.hpp"

namespace aiserve::inline v0::detail {
namespace asio = boost::asio;
namespace {

JobQueueOptions checked(JobQueueOptions options) {
  check_queue_options(options);
  return options;
}

}  // namespace

QueueEngine::QueueEngine(Runtime& runtime, JobStore& store, JobReader& reader,
                         JobQueueOptions options)
    : runtime_(runtime),
      store_(store),
      options_(checked(std::move(options))),
      metrics_(runtime.telemetry(), options_.name),
      payloads_(options_, runtime.clock()),
      kinds_(options_),
      rate_rows_(options_.rates, runtime.clock()),
      rates_(runtime, rate_rows_, metrics_),
      planner_(kinds_, options_, runtime.clock(), rates_),
      door_(options_.concurrency),
      runner_(runtime, payloads_, rate_rows_),
      dispatcher_({runtime, store, options_, kinds_, metrics_, planner_, runner_, door_}),
      lease_(runtime, store, options_.lease, dispatcher_, metrics_),
      upkeep_(runtime, store, Duration(std::min(options_.poll, options_.lease / 4)), metrics_),
      sweep_(runtime, reader, options_.offload, metrics_),
      schedules_(runtime),
      thread_(runtime, options_.name) {
  dispatcher_.on_due = [this](WallTime at) { upkeep_.due_at(at); };
  rates_.on_change = [this] { dispatcher_.plan_again(); };
  // Nobody who runs nothing is woken by every commit.
  if (options_.concurrency > 0) store.on_ready([this] { dispatcher_.look(); });
  attachment_ = runtime.attach(component());
}

QueueEngine::~QueueEngine() {
  attachment_ = Attachment();
  store_.on_ready({});
}

void QueueEngine::add_kind(std::string kind, const JobKindOptions& options, JobHandler handler) {
  kinds_.add(std::move(kind), options, std::move(handler), metrics_);
}

void QueueEngine::add_schedule(const std::string& name, const JobSchedule& schedule) {
  check_schedule(options_, name, schedule);
  schedules_.add(name, schedule);
}

Component QueueEngine::component() {
  return {.name = options_.name,
          .start = [this] { start(); },
          .stop_accepting =
              [this] {
                dispatcher_.drain();
                schedules_.end();
              },
          .gate = &gate_,
          .cancel = [this] { cancel(); },
          .join = [this] { thread_.join(); },
          .busy_with = [this] { return dispatcher_.busy_with(); },
          .status = [this] { return status(); }};
}

void QueueEngine::start() {
  if (!works() && schedules_.empty()) return;
  inside_ = gate_.enter();
  home_ = &thread_.start();
  asio::co_spawn(home_->executor(), live(home_), asio::detached);
}

void QueueEngine::cancel() {
  dispatcher_.cancel_all();
  // Calls of a store that hangs; the Runtime's own threads are told by the Runtime.
  if (home_ == nullptr || home_ == runtime_.core().io(0)) return;
  asio::post(home_->loop(), [home = home_] { home->cancel_operations(); });
}

Task QueueEngine::live(IoThread* home) {
  co_await asio::this_coro::throw_if_cancelled(false);
  std::vector<Task> tasks;
  if (works()) {
    tasks.push_back(dispatch(home));
    tasks.push_back(lease_.run());
    tasks.push_back(upkeep_.run());
    if (!sweep_.empty()) tasks.push_back(sweep_.run());
    if (!rates_.empty()) tasks.push_back(rates_.run());
  }
  if (!schedules_.empty()) {
    tasks.push_back(schedules_.run(
        [this](const Context& ctx, const NewJob& job) { return enqueue_run(ctx, job); }));
  }
  co_await join(tasks);
  inside_ = Gate::Pass();
}

Task QueueEngine::dispatch(IoThread* home) {
  co_await dispatcher_.run(*home);
  lease_.end();
  upkeep_.end();
  sweep_.end();
  rates_.end();
}

Async<void> QueueEngine::enqueue_run(const Context& ctx, const NewJob& job) {
  std::vector<NewJob> one{job};
  set_defaults(one.front());
  const Result<std::vector<Enqueued>> done = co_await enqueue(ctx, one);
  if (!done) co_return done.error();
  co_return success();
}

void QueueEngine::set_defaults(NewJob& job) const {
  job.max_attempts = options_.max_attempts;
  job.max_crashes = options_.max_crashes;
  job.timeout = options_.timeout;
  const JobKind* kind = kinds_.latest(job.kind);
  if (kind == nullptr) return;
  job.kind = kind->stored;
  job.max_attempts = kind->options.max_attempts.value_or(job.max_attempts);
  job.timeout = kind->options.timeout.value_or(job.timeout);
  job.order_concurrency = kind->options.order_concurrency;
}

Result<void> QueueEngine::admit(const Context& ctx, const NewJob& job, std::size_t count) const {
  if (!job.start_before) return success();
  const Duration left = *job.start_before - runtime_.clock().wall_now();
  const bool own = ctx.tenant().id() == job.tenant;
  const double weight = own ? ctx.tenant().weight() : planner_.weight_of(job.tenant);
  return door_.judge(job.tenant, weight, count, left);
}

Async<std::vector<Enqueued>> QueueEngine::enqueue(const Context& ctx, std::vector<NewJob>& jobs) {
  for (NewJob& job : jobs) {
    if (const Result<void> admitted = admit(ctx, job, jobs.size()); !admitted) {
      metrics_.refused.inc();
      co_return admitted.error();
    }
    if (job.max_waiting == 0) job.max_waiting = options_.max_waiting;
  }
  const Context until = payloads_.in_time(ctx);
  const Result<void> stored = co_await store_inputs(until, jobs);
  if (!stored) co_return stored.error();
  Result<std::vector<Enqueued>> done = co_await store_.enqueue(until, jobs);
  if (done) {
    count_enqueued(jobs, *done);
  } else if (done.error().code() == Errc::overloaded) {
    metrics_.refused.inc();
  }
  if (options_.offload.objects != nullptr) co_await drop_unused(jobs, done);
  co_return done;
}

Async<void> QueueEngine::store_inputs(const Context& ctx, std::vector<NewJob>& jobs) const {
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    Result<Bytes> stored = co_await payloads_.store(ctx, jobs[i].tenant, jobs[i].input);
    if (stored) {
      jobs[i].input = std::move(*stored);
      continue;
    }
    const Context drops = payloads_.for_drops();
    for (std::size_t j = 0; j < i; ++j) {
      co_await payloads_.drop(drops, jobs[j].tenant, jobs[j].input);
    }
    co_return stored.error();
  }
  co_return success();
}

// After other errors than these the jobs may be there.
boost::asio::awaitable<void> QueueEngine::drop_unused(
    const std::vector<NewJob>& jobs, const Result<std::vector<Enqueued>>& done) const {
  const Errc code = done ? Errc::internal : done.error().code();
  const bool none =
      code == Errc::overloaded || code == Errc::invalid_argument || code == Errc::too_large;
  const Context drops = payloads_.for_drops();
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (none || (done && done->at(i).existing)) {
      co_await payloads_.drop(drops, jobs[i].tenant, jobs[i].input);
    }
  }
}

void QueueEngine::count_enqueued(const std::vector<NewJob>& jobs,
                                 const std::vector<Enqueued>& done) {
  const WallTime now = runtime_.clock().wall_now();
  for (std::size_t i = 0; i < done.size(); ++i) {
    (done[i].existing ? metrics_.existing : metrics_.enqueued).inc();
    if (jobs[i].run_at > now) upkeep_.due_at(jobs[i].run_at);
  }
}

std::string QueueEngine::status() const {
  const JobQueueSnapshot now = dispatcher_.snapshot();
  JsonText json;
  json.begin_object();
  json.key("concurrency").number(static_cast<std::int64_t>(options_.concurrency));
  json.key("leased").boolean(now.leased);
  json.key("ready").number(now.ready);
  json.key("held").number(static_cast<std::int64_t>(now.held));
  json.key("running").number(static_cast<std::int64_t>(now.running));
  json.key("unsettled").number(static_cast<std::int64_t>(now.unsettled));
  json.key("stuck").number(static_cast<std::int64_t>(now.stuck));
  json.key("kinds").begin_array();
  for (const JobKind& kind : kinds_.all()) json.string(kind.stored);
  json.end_array().end_object();
  return std::move(json).text();
}

}  // namespace aiserve::inline v0::detail
