#include "sqlite/sqlite_core.hpp"

#include <sqlite3.h>

namespace aiserve::inline v0::detail {
namespace {

constexpr const char* kBeginRead = R"sql(BEGIN DEFERRED)sql";
// Writes that come while the writer waits for more wake it by so many: it runs them while others
// are on their way.
constexpr std::size_t kAtOnce = 8;

}  // namespace

SqliteCore::SqliteCore(Runtime& runtime, SqliteDatabaseOptions options)
    : runtime_(runtime),
      options_(std::move(options)),
      lease_clock_(runtime.clock()),
      writer_connection_(options_.path, connection_options()),
      writer_(writer_connection_, job_counts_),
      queue_(options_.max_queue) {}

Connection::Options SqliteCore::connection_options() const {
  return {.full_sync = options_.sync == SqliteSync::full,
          .busy_timeout_ms = static_cast<int>(options_.busy_timeout.count()),
          .max_size = options_.max_size};
}

void SqliteCore::attach() {
  worker_ = runtime_.core().add_worker({.name = "sqlite-writer",
                                        .step = [this](TimePoint now) { return step(now); },
                                        .end =
                                            [this] {
                                              writer_.commit();
                                              close();
                                            }});
  attachment_ = runtime_.attach({.name = "sqlite"});
}

void SqliteCore::detach() noexcept {
  // Ends the worker if the Runtime still runs; if it never ran, the worker never will.
  attachment_ = Attachment();
  if (worker_) worker_->request_stop();
  close();
}

void SqliteCore::close() noexcept {
  const Error closed = to_error(CancelReason::shutdown);
  for (WriteQueue::Task& task : queue_.close()) {
    task->fail(closed);
    task->settle(Operation::Outcome::completed);
  }
}

Deadline SqliteCore::step(TimePoint now) {
  // Time that is set by hand says nothing of how long a commit takes, and may never come.
  const bool paced = !runtime_.clock().manual();
  const std::size_t expected = paced ? std::min(pace_.expected(), options_.max_group) : 1;
  const TimePoint until{Duration(pace_.until())};
  wake_at_.store(1);  // before the look: a write that comes after it wakes
  // What need not wait for the disk does so only in company.
  const bool begins = writer_.size() > 0 || expected == 1 || now >= until || queue_.durable();
  if (begins) writer_.run(queue_.take(options_.max_group - writer_.size()));
  if (writer_.size() < expected && now < until) {
    wake_at_.store(std::min(expected - writer_.size(), kAtOnce));
    worked_ += runtime_.clock().now() - now;
    return Deadline(until);
  }
  if (writer_.size() == 0) return Deadline::never();
  commit(now);
  return Deadline(TimePoint::min());  // more may have come meanwhile
}

void SqliteCore::commit(TimePoint began) {
  const std::size_t writes = writer_.size();
  writer_.commit();
  const TimePoint end = runtime_.clock().now();
  worked_ += end - began;
  pace_.committed(writes, worked_.count(), end.time_since_epoch().count());
  worked_ = Duration(0);
}

std::optional<Error> SqliteCore::enqueue(WriteQueue::Task task) {
  if (auto refused = queue_.push(std::move(task))) return refused;
  // At once, not after the round of completions that this write may come from: the writer works
  // while the others of the round come.
  if (queue_.size() >= wake_at_.load()) worker_->wake();
  return std::nullopt;
}

std::int64_t SqliteCore::wall_ms() const noexcept {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(runtime_.clock().wall_now());
  return now.time_since_epoch().count();
}

SqliteStats SqliteCore::stats() const noexcept {
  return {writer_.writes(), writer_.commits(), writer_.failures(), queue_.size()};
}

Error SqliteCore::why(const Context& ctx, const SQLite::Exception& error) const {
  if (error.getErrorCode() == SQLITE_INTERRUPT) {
    if (auto alive = ctx.check(runtime_.clock().now()); !alive) return alive.error();
  }
  return to_error(error);
}

SqliteCore::Reading::Reading(SqliteCore& core, const Context& ctx) : core_(core), ctx_(ctx) {
  {
    const std::scoped_lock lock(core.readers_mutex_);
    if (!core.readers_.empty()) {
      connection_ = std::move(core.readers_.back());
      core.readers_.pop_back();
    }
  }
  if (!connection_) {
    connection_ = std::make_unique<Connection>(core.options_.path, core.connection_options());
  }
  constexpr int kSteps = 10'000;  // some tenths of a millisecond
  sqlite3_progress_handler(connection_->handle(), kSteps, &Reading::interrupt, this);
  Query(*connection_, kBeginRead).run();
}

SqliteCore::Reading::~Reading() {
  connection_->rollback();
  sqlite3_progress_handler(connection_->handle(), 0, nullptr, nullptr);
  const std::scoped_lock lock(core_.readers_mutex_);
  core_.readers_.push_back(std::move(connection_));
}

int SqliteCore::Reading::interrupt(void* self) noexcept {
  const auto* reading = static_cast<const Reading*>(self);
  return reading->ctx_.check(reading->core_.runtime_.clock().now()).ok() ? 0 : 1;
}

}  // namespace aiserve::inline v0::detail
