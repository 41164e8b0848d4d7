#include "jobs/job_dispatcher.hpp"

#include <algorithm>
#include <cmath>

#include "core/random.hpp"
#include "core/runtime_core.hpp"
#include "jobs/mean.hpp"

namespace aiserve::inline v0::detail {
namespace {

using namespace std::chrono_literals;

constexpr Duration kCallTimeout = 10s;
constexpr Duration kFirstPause = 5ms;
constexpr Duration kLongestPause = 1s;
constexpr Duration kStuckLook = 1s;
constexpr Duration kOutageWord = 1min;
constexpr std::size_t kStraysAtOnce = 500;

double seconds_of(Duration length) noexcept {
  return std::chrono::duration<double>(length).count();
}

StrayWatch::Attempt attempt_of(const JobRun& run) {
  return {run.claimed.tenant, run.claimed.id, run.claimed.attempt};
}

Settlement given_back(const StrayWatch::Attempt& one, WorkerId worker) {
  ClaimedJob job;
  std::tie(job.tenant, job.id, job.attempt) = one;
  return Settlement(job, worker, JobOutcomeKind::give_back);
}

const char* outage_of(JobRun::Stage stage) noexcept {
  switch (stage) {
    case JobRun::Stage::rate:
      return "the rate of an order key cannot be read now; a job waits";
    case JobRun::Stage::input:
      return "the input of a job cannot be read now; it waits";
    case JobRun::Stage::handler:
    case JobRun::Stage::result:
      break;
  }
  return "the result of a job cannot be stored now; it waits to run again";
}

}  // namespace

/// The arguments and answers of the calls of a round.
struct JobDispatcher::Round {
  WorkerId worker{};
  std::vector<Settlement> settlements{};
  std::vector<ClaimQuota> quotas{};
  std::optional<Result<std::vector<Settled>>> settled{};
  std::optional<Result<std::vector<ClaimedJob>>> claimed{};
  std::optional<Result<std::vector<Backlog>>> backlog{};
};

JobDispatcher::JobDispatcher(const Parts& parts)
    : parts_(parts),
      settler_(parts.metrics, parts.runtime.telemetry().log(),
               parts.options.offload.orphan_age / 2) {}

Task JobDispatcher::run(IoThread& home) {
  home_ = &home;
  for (const JobKind& kind : parts_.kinds.all()) kind_names_.push_back(kind.stored);
  while (!over()) {
    take_requests();
    tend();
    const TimePoint at = now();
    if (wants_round(at)) {
      co_await round();
    } else if (!over()) {
      co_await bell_.wait(next_look(at));
    }
  }
  settler_.give_up();
  publish();
}

// A store that does not answer must not keep a process from ending.
bool JobDispatcher::over() const noexcept {
  if (!draining_.load(std::memory_order_acquire) || !held_.empty()) return false;
  return settler_.empty() || (cancelled_ && settler_.stuck(now()) == settler_.size());
}

void JobDispatcher::take_requests() {
  std::vector<JobRef> wanted;
  {
    const std::scoped_lock lock(mutex_);
    wanted.swap(to_cancel_);
  }
  for (const JobRef& job : wanted) {
    for (const JobRunPtr& run : held_) {
      if (run->claimed.id == job.id && run->claimed.tenant == job.tenant) {
        run->ctx.cancel(CancelReason::user);
      }
    }
  }
  if (cancelled_ || !cancel_all_.load(std::memory_order_acquire)) return;
  cancelled_ = true;
  for (const JobRunPtr& run : held_) {
    run->ctx.cancel(CancelReason::shutdown);
    const std::scoped_lock lock(snapshot_mutex_);
    late_ += ' ' + run->kind.stored + ' ' + std::to_string(run->claimed.id.value());
  }
}

std::size_t JobDispatcher::free_slots() const noexcept {
  const auto slots = static_cast<std::size_t>(parts_.options.concurrency);
  // Enough on stock to keep the slots busy during a round, and no more: what is claimed is out of
  // reach of fair shares and of other processes.
  std::size_t stock = 0;
  if (const double run = parts_.planner.mean_run_seconds({}); run > 0) {
    const double spare = std::ceil(static_cast<double>(slots) * round_seconds_ / run);
    stock = static_cast<std::size_t>(std::min(spare, static_cast<double>(slots)));
  }
  const std::size_t taken = held_.size() + settler_.stuck(now());
  return slots + stock > taken ? slots + stock - taken : 0;
}

bool JobDispatcher::wants_round(TimePoint at) {
  quotas_.clear();
  if (at >= next_poll_) look_.store(true, std::memory_order_relaxed);
  const bool may_claim = has_lease_ && !draining_.load(std::memory_order_acquire);
  if (may_claim && at >= claim_not_before_) {
    claiming_.store(true);
    quotas_ = parts_.planner.plan(free_slots());
    claiming_.store(!quotas_.empty());
  }
  const bool looks = may_claim && look_.load(std::memory_order_relaxed);
  return !quotas_.empty() || looks || settler_.has_work(at);
}

boost::asio::awaitable<void> JobDispatcher::round() {
  const TimePoint began = now();
  const Context ctx = Context::background().with_deadline(Deadline::after(began, kCallTimeout));
  Round calls{.worker = worker_};
  if (settler_.has_work(began)) calls.settlements = settler_.take(began);
  calls.quotas = std::move(quotas_);
  if (!calls.quotas.empty()) stray_watch_.claim_begins();
  std::vector<Task> tasks;
  tasks.reserve(3);
  if (!calls.settlements.empty()) {
    tasks.push_back(into(parts_.store.settle(ctx, calls.settlements), calls.settled));
  }
  if (!calls.quotas.empty()) {
    tasks.push_back(into(parts_.store.claim(ctx, calls.worker, calls.quotas), calls.claimed));
  }
  const bool room_changed = !calls.settlements.empty() && parts_.planner.has_limits();
  if (look_.exchange(false, std::memory_order_acq_rel) || !calls.quotas.empty() || room_changed) {
    next_poll_ = began + parts_.options.poll;
    tasks.push_back(into(parts_.store.backlog(ctx, kind_names_), calls.backlog));
  }
  if (!tasks.empty()) co_await join(tasks);
  if (calls.settled) settler_.done(*calls.settled, now());
  if (calls.claimed) {
    take_claimed(*calls.claimed, calls.worker);
    parts_.planner.claim_ended(calls.claimed->ok());
    publish();
    claiming_.store(false);
    stray_watch_.claim_ended();
    add_to_mean(round_seconds_, seconds_of(now() - began));
  }
  if (calls.backlog && *calls.backlog) {
    saw_claims_ = calls.quotas.empty();
    parts_.planner.update(std::move(**calls.backlog));
    parts_.door.update(parts_.planner, running_);
  } else if (calls.backlog) {
    parts_.metrics.store_errors.inc();
  }
}

void JobDispatcher::take_claimed(const Result<std::vector<ClaimedJob>>& claimed, WorkerId by) {
  if (!claimed) parts_.metrics.store_errors.inc();
  if (!claimed || claimed->empty()) {
    look_.store(true, std::memory_order_relaxed);
    if (claimed && !saw_claims_) return;
    // Others were faster, or the store fails: don't run in circles.
    claim_pause_ = std::clamp(claim_pause_ * 2, kFirstPause, kLongestPause);
    claim_not_before_ = now() + claim_pause_;
    return;
  }
  claim_pause_ = Duration(0);
  // The lease was lost meanwhile: they are, or will be, given to others.
  if (!has_lease_ || by != worker_) return;
  for (const ClaimedJob& job : *claimed) hold(job);
}

void JobDispatcher::hold(const ClaimedJob& job) {
  const JobKind* kind = parts_.kinds.find(job.kind);
  if (kind == nullptr) return;  // a store that gives what was not asked for
  const TimePoint at = now();
  const JobRunPtr run =
      make_intrusive<JobRun>(*this, *kind, job, worker_, context_of(job, *kind, at), at);
  if (const Duration early = parts_.planner.too_early(*run); early > Duration(0)) {
    return put_off(run, early);
  }
  parts_.planner.claimed(*run);
  run->position = held_.size();
  held_.push_back(run);
  waiting_.push_back(run);
}

Context JobDispatcher::context_of(const ClaimedJob& job, const JobKind& kind, TimePoint at) const {
  Tenant tenant = Tenant::make({.id = job.tenant}).value_or(Tenant());
  if (parts_.options.tenants != nullptr) {
    tenant = parts_.options.tenants->find(job.tenant).value_or(tenant);
  }
  const decide::Nanos stop =
      decide::stop_at(kind.limits(job.timeout), at.time_since_epoch().count());
  const std::string name = "job-" + std::to_string(job.id.value());
  const auto parent = TraceParent::parse(job.trace);
  return Context(ContextOptions{.request_id = name,
                                .tenant = std::move(tenant),
                                .deadline = Deadline(TimePoint(Duration(stop))),
                                .priority = Priority::background,
                                .trace = parts_.runtime.telemetry().tracer().begin(parent),
                                .idempotency_key = name});
}

void JobDispatcher::drop(const JobRunPtr& run) {
  held_[run->position] = held_.back();
  held_[run->position]->position = run->position;
  held_.pop_back();
}

void JobDispatcher::tend() {
  const TimePoint at = now();
  const auto slots = static_cast<std::size_t>(parts_.options.concurrency);
  const bool draining = draining_.load(std::memory_order_acquire);
  while (!draining && running_ < slots && !waiting_.empty()) {
    JobRunPtr next = std::move(waiting_.front());
    waiting_.pop_front();
    start(std::move(next));
  }
  while (!waiting_.empty() &&
         (draining || at - waiting_.front()->claimed_at >= parts_.options.local_wait)) {
    give_back(waiting_.front());
    waiting_.pop_front();
  }
  if (at >= next_stuck_look_) look_for_stuck(at);
  publish();
}

void JobDispatcher::start(JobRunPtr run) {
  if (run->ctx.cancelled()) {
    run->outcome = JobOutcome::retry(to_error(run->ctx.reason()));
    parts_.planner.returned(*run);
    return settle(std::move(run));
  }
  ++running_;
  run->started = true;
  run->started_at = now();
  const Duration waited = parts_.runtime.clock().wall_now() - run->claimed.ready_at;
  run->kind.metrics.wait_seconds->observe(std::max(0.0, seconds_of(waited)));
  parts_.runner.start(std::move(run), *home_);
}

void JobDispatcher::give_back(const JobRunPtr& run) {
  parts_.planner.returned(*run);
  run->verdict = JobOutcomeKind::give_back;
  drop(run);
  settler_.add(run);
}

void JobDispatcher::put_off(JobRunPtr run, Duration by) {
  run->verdict = JobOutcomeKind::give_back;
  run->at = parts_.runtime.clock().wall_now() + by;
  if (on_due) on_due(run->at);
  settler_.add(std::move(run));
  look();
}

void JobDispatcher::finished(JobRunPtr run) {
  --running_;
  run->ended_at = now();
  if (run->put_off > Duration(0) && run->stage != JobRun::Stage::result) {
    parts_.planner.returned(*run);
  } else {
    const double seconds = std::max(1e-9, seconds_of(run->ended_at - run->started_at));
    run->kind.metrics.run_seconds->observe(seconds);
    parts_.planner.settled(*run, run->outcome.cost().value_or(seconds), seconds);
  }
  settle(std::move(run));
  tend();
  bell_.ring();
}

void JobDispatcher::settle(JobRunPtr run) {
  drop(run);
  judge(*run);
  settler_.add(std::move(run));
}

// What the store is told of it.
void JobDispatcher::judge(JobRun& run) {
  run.verdict = run.outcome.kind();
  run.at = run.outcome.at().value_or(WallTime{});
  if (run.verdict == JobOutcomeKind::retry && run.ctx.reason() == CancelReason::shutdown) {
    run.verdict = JobOutcomeKind::give_back;
    run.at = WallTime{};
    return;
  }
  const WallTime wall = parts_.runtime.clock().wall_now();
  if (run.put_off > Duration(0)) {
    run.verdict = JobOutcomeKind::give_back;
    run.at = wall + run.put_off;
    if (!run.early) tell_outage(run);
  }
  if (run.verdict == JobOutcomeKind::retry && !run.outcome.at()) {
    const Duration asked(run.outcome.retry_after());
    const decide::Nanos again =
        decide::retry_at(run.kind.backoff, static_cast<std::uint32_t>(run.claimed.used_attempts),
                         asked.count(), wall.time_since_epoch().count(), random_u64());
    run.at = WallTime(Duration(again));
  }
  if (run.at > wall && on_due) on_due(run.at);
}

// A backlog that waits for one store is one word, now and then.
void JobDispatcher::tell_outage(const JobRun& run) {
  const TimePoint at = now();
  const auto told = outage_told_.find(&run.kind);
  if (told != outage_told_.end() && at < told->second.at()) return;
  outage_told_[&run.kind] = Deadline::after(at, kOutageWord);
  parts_.runtime.telemetry().log().warn(
      run.ctx, outage_of(run.stage),
      {{"kind", run.kind.stored}, {"job", run.claimed.id.value()}, {"error", run.outcome.error()}});
}

void JobDispatcher::look_for_stuck(TimePoint at) {
  next_stuck_look_ = at + kStuckLook;
  std::size_t stuck = 0;
  for (const JobRunPtr& run : held_) {
    if (!run->started) continue;
    const auto stage = decide::attempt_stage(
        run->limits, run->claimed_at.time_since_epoch().count(), at.time_since_epoch().count());
    if (stage == decide::AttemptStage::on_time) continue;
    // A handler that blocks its thread keeps the timer there from doing it.
    run->ctx.cancel(CancelReason::deadline);
    if (stage != decide::AttemptStage::stuck) continue;
    ++stuck;
    if (std::exchange(run->told_stuck, true)) continue;
    parts_.runtime.telemetry().log().error(
        run->ctx, "a job's handler runs on beyond its timeout and holds a slot",
        {{"kind", run->kind.stored}, {"job", run->claimed.id.value()}});
  }
  const std::scoped_lock lock(snapshot_mutex_);
  snapshot_.stuck = stuck;
}

Deadline JobDispatcher::next_look(TimePoint at) const {
  Deadline next;
  if (has_lease_ && !draining_.load(std::memory_order_relaxed)) {
    next = Deadline(next_poll_).earlier(parts_.planner.next_start());
    if (claim_not_before_ > at) next = next.earlier(Deadline(claim_not_before_));
  }
  next = next.earlier(settler_.next_try(at));
  if (!waiting_.empty()) {
    next = next.earlier(Deadline::after(waiting_.front()->claimed_at, parts_.options.local_wait));
  }
  if (running_ > 0) next = next.earlier(Deadline(next_stuck_look_));
  return next;
}

void JobDispatcher::leased(WorkerId worker) noexcept {
  worker_ = worker;
  has_lease_ = true;
  stray_watch_.forget();
  look();
}

std::vector<Settlement> JobDispatcher::strays(WorkerId worker,
                                              const std::vector<RunningJob>& running) {
  for (const JobRunPtr& run : settler_.take_unrecordable()) stray_watch_.leave(attempt_of(*run));
  std::vector<Settlement> strays;
  if (!has_lease_ || worker != worker_) return strays;
  std::set<StrayWatch::Attempt> unknown;
  for (const RunningJob& one : running) unknown.emplace(one.job.tenant, one.job.id, one.attempt);
  const auto know = [&](const JobRun& run) { unknown.erase(attempt_of(run)); };
  for (const JobRunPtr& run : held_) know(*run);
  settler_.for_each(know);
  for (const StrayWatch::Attempt& one : stray_watch_.judge(unknown, kStraysAtOnce)) {
    strays.push_back(given_back(one, worker));
  }
  return strays;
}

void JobDispatcher::lease_lost(WorkerId worker) {
  has_lease_ = false;
  const auto of_worker = [worker](const JobRunPtr& run) { return run->worker == worker; };
  for (const JobRunPtr& run : waiting_) {
    if (!of_worker(run)) continue;
    parts_.planner.returned(*run);
    drop(run);
  }
  std::erase_if(waiting_, of_worker);
  for (const JobRunPtr& run : held_) {
    if (of_worker(run)) run->ctx.cancel(CancelReason::lease_lost);
  }
  look();
}

void JobDispatcher::look() noexcept {
  look_.store(true, std::memory_order_release);
  bell_.ring();
}

void JobDispatcher::plan_again() noexcept { bell_.ring(); }

void JobDispatcher::drain() noexcept {
  draining_.store(true, std::memory_order_release);
  bell_.ring();
}

void JobDispatcher::cancel_all() noexcept {
  cancel_all_.store(true, std::memory_order_release);
  drain();
}

void JobDispatcher::cancel(JobRef job) {
  {
    const std::scoped_lock lock(mutex_);
    to_cancel_.push_back(std::move(job));
  }
  bell_.ring();
}

void JobDispatcher::publish() noexcept {
  parts_.metrics.held.set(static_cast<double>(held_.size()));
  parts_.metrics.unsettled.set(static_cast<double>(settler_.size()));
  const std::scoped_lock lock(snapshot_mutex_);
  snapshot_.ready = parts_.planner.ready();
  snapshot_.held = held_.size();
  snapshot_.running = running_;
  snapshot_.unsettled = settler_.size();
  snapshot_.leased = has_lease_;
  parts_.metrics.stuck.set(static_cast<double>(snapshot_.stuck));
}

JobQueueSnapshot JobDispatcher::snapshot() const noexcept {
  const bool claiming = claiming_.load();
  const std::scoped_lock lock(snapshot_mutex_);
  JobQueueSnapshot now = snapshot_;
  now.claiming = claiming;
  return now;
}

std::string JobDispatcher::busy_with() const {
  const JobQueueSnapshot now = snapshot();
  const std::scoped_lock lock(snapshot_mutex_);
  return std::to_string(now.running) + " handlers, " + std::to_string(now.unsettled) + " outcomes" +
         late_;
}

}  // namespace aiserve::inline v0::detail
