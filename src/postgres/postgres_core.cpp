#include "postgres/postgres_core.hpp"

#include <algorithm>
#include <iterator>
#include <random>

#include "decide/backoff.hpp"

namespace aiserve::inline v0::pg {
namespace {

constexpr decide::BackoffPolicy kBackoff{.base = 20'000'000, .cap = 1'000'000'000};

// Of heartbeats there is one per worker at a time.
constexpr std::size_t kMostUrgent = 1'000;

std::uint64_t random_bits() {
  static thread_local std::mt19937_64 random{std::random_device{}()};
  return random();
}

}  // namespace

PostgresCore::Lane::Lane(PostgresCore& core, int of_all, Urgency least)
    : connection(core.connection_options()),
      number(of_all),
      takes(least),
      slot(static_cast<int>(random_bits() % kOwnSlots)) {}

PostgresCore::PostgresCore(Runtime& runtime, PostgresDatabaseOptions options)
    : runtime_(runtime), options_(std::move(options)) {
  lanes_.reserve(static_cast<std::size_t>(options_.connections) + 1);
  for (int i = 0; i < options_.connections; ++i) {
    lanes_.push_back(std::make_unique<Lane>(*this, i, Urgency::ordinary));
  }
  // Connects when it is needed: not every store has something urgent.
  lanes_.push_back(std::make_unique<Lane>(*this, options_.connections, Urgency::urgent));
}

Connection::Options PostgresCore::connection_options() const {
  return {.dsn = options_.dsn,
          .prepared = options_.prepared,
          .connect_timeout = std::chrono::ceil<std::chrono::seconds>(options_.connect_timeout),
          .stop_event = stop_.descriptor()};
}

void PostgresCore::attach() {
  for (const auto& lane : lanes_) {
    lane->worker =
        runtime_.add_worker({.name = "postgres-" + std::to_string(lane->number),
                             .step = [this, &own = *lane](TimePoint) { return step(own); },
                             .end = [this] { close(); }});
  }
  attachment_ = runtime_.attach({.name = "postgres", .cancel = [this] { close(); }});
}

void PostgresCore::detach() noexcept {
  close();
  // Ends the workers if the Runtime still runs; if it never ran, they never will.
  attachment_ = Attachment();
  for (const auto& lane : lanes_) lane->worker.retire();
}

void PostgresCore::close() noexcept {
  stop_.set();
  std::deque<TaskPtr> rest;
  {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    rest.swap(tasks_);
    std::move(urgent_.begin(), urgent_.end(), std::back_inserter(rest));
    urgent_.clear();
  }
  const Error closed = to_error(CancelReason::shutdown);
  for (const TaskPtr& task : rest) {
    task->fail(closed);
    task->finish();
  }
}

std::optional<Error> PostgresCore::enqueue(TaskPtr task, Urgency urgency) {
  const bool urgent = urgency == Urgency::urgent;
  Lane* wanted = nullptr;
  {
    const std::scoped_lock lock(mutex_);
    if (closed_) return Error(Errc::unavailable, "the store is closed");
    std::deque<TaskPtr>& tasks = urgent ? urgent_ : tasks_;
    if (tasks.size() >= (urgent ? kMostUrgent : options_.max_queue)) {
      return Error(Errc::overloaded, "too many operations wait for the store")
          .retry_after(std::chrono::milliseconds(100));
    }
    tasks.push_back(std::move(task));
    wanted = idle_lane(urgency);
    if (wanted != nullptr) wanted->idle = false;
  }
  if (wanted != nullptr) wanted->worker.wake();
  return std::nullopt;
}

// The lane of what is urgent comes last, so that it is used, and connected, only when it must be.
PostgresCore::Lane* PostgresCore::idle_lane(Urgency urgency) noexcept {
  for (const auto& lane : lanes_) {
    if (lane->idle && lane->takes <= urgency) return lane.get();
  }
  return nullptr;
}

PostgresCore::TaskPtr PostgresCore::take(Lane& lane) {
  const std::scoped_lock lock(mutex_);
  const bool has_ordinary = lane.takes == Urgency::ordinary && !tasks_.empty();
  lane.idle = urgent_.empty() && !has_ordinary;
  if (lane.idle) return {};
  std::deque<TaskPtr>& tasks = urgent_.empty() ? tasks_ : urgent_;
  TaskPtr task = std::move(tasks.front());
  tasks.pop_front();
  return task;
}

Deadline PostgresCore::step(Lane& lane) {
  TaskPtr task = take(lane);
  if (!task) return Deadline::never();
  // Whoever gave up while it waited is not owed a write.
  if (task->pending()) serve(lane, *task);
  task->finish();
  return Deadline(TimePoint::min());  // more may have come meanwhile
}

Context PostgresCore::bounded(const Context& ctx) const {
  const Deadline latest = Deadline::after(runtime_.clock().now(), options_.timeout);
  return ctx.with_deadline(ctx.deadline().earlier(latest));
}

std::optional<std::int64_t> PostgresCore::manual_now() const {
  const Clock& clock = runtime_.clock();
  if (!clock.manual()) return std::nullopt;
  return clock.wall_now().time_since_epoch().count();
}

Until PostgresCore::until(const Context& ctx) const {
  const Duration left = ctx.deadline().remaining(runtime_.clock().now());
  return std::chrono::steady_clock::now() + std::min<Duration>(left, options_.timeout);
}

void PostgresCore::serve(Lane& lane, Task& task) {
  for (std::uint32_t failures = 1;; ++failures) {
    const std::optional<Failure> failure = attempt(lane, task);
    if (!failure) return;
    const bool again =
        failure->retry && failures < static_cast<std::uint32_t>(options_.max_attempts);
    if (!again || !pause(task, failures)) return task.fail(failure->error);
    retries_.fetch_add(1, std::memory_order_relaxed);
  }
}

bool PostgresCore::pause(const Task& task, std::uint32_t failures) {
  const auto delay =
      std::chrono::nanoseconds(decide::full_jitter(kBackoff, failures, random_bits()));
  const Until at = std::chrono::steady_clock::now() + delay;
  return at < until(task.ctx) && stop_.wait_until(at) && task.pending();
}

std::optional<PostgresCore::Failure> PostgresCore::attempt(Lane& lane, Task& task) {
  std::optional<Transaction> transaction;
  try {
    if (!lane.connection.is_open()) {
      lane.connection.open();
      connects_.fetch_add(1, std::memory_order_relaxed);
    }
    transaction.emplace(lane.connection, until(task.ctx), manual_now(), lane.slot);
    task.run(*transaction);
    if (task.failed()) return std::nullopt;
    transaction->commit();
    committed_.fetch_add(1, std::memory_order_relaxed);
    task.committed();
    return std::nullopt;
  } catch (const PgError& error) {
    return judge(error, transaction && transaction->in_doubt());
  } catch (...) {
    return Failure{error_from_current_exception(), false};
  }
}

std::optional<PostgresCore::Failure> PostgresCore::judge(const PgError& error, bool in_doubt) {
  if (in_doubt && error.unheard()) {
    in_doubt_.fetch_add(1, std::memory_order_relaxed);
    return Failure{Error(Errc::unavailable, "the store was lost; it may have been done or not")
                       .with_detail(error.what()),
                   false};
  }
  const bool again =
      error.retryable() || (error.unusable() && error.kind() != PgError::Kind::stopped &&
                            error.kind() != PgError::Kind::timed_out);
  return Failure{error.to_error(), again};
}

PostgresStats PostgresCore::stats() const noexcept {
  PostgresStats stats;
  stats.committed = committed_.load(std::memory_order_relaxed);
  stats.retries = retries_.load(std::memory_order_relaxed);
  stats.connects = connects_.load(std::memory_order_relaxed);
  stats.in_doubt = in_doubt_.load(std::memory_order_relaxed);
  const std::scoped_lock lock(mutex_);
  stats.queued = tasks_.size() + urgent_.size();
  return stats;
}

}  // namespace aiserve::inline v0::pg
