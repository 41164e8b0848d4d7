#include "sqlite/sqlite_core.hpp"

#include <sqlite3.h>

namespace aiserve::inline v0::detail {
namespace {

constexpr const char* kBeginRead = R"sql(BEGIN DEFERRED)sql";

}  // namespace

SqliteCore::SqliteCore(Runtime& runtime, SqliteDatabaseOptions options)
    : runtime_(runtime),
      options_(std::move(options)),
      lease_clock_(runtime.clock()),
      writer_connection_(options_.path, connection_options()),
      writer_(writer_connection_),
      queue_(options_.max_queue) {}

Connection::Options SqliteCore::connection_options() const {
  return {.full_sync = options_.sync == SqliteSync::full,
          .busy_timeout_ms = static_cast<int>(options_.busy_timeout.count()),
          .max_size = options_.max_size};
}

void SqliteCore::attach() {
  worker_ = runtime_.add_worker({.name = "sqlite-writer",
                                 .step = [this](TimePoint) { return step(); },
                                 .end = [this] { close(); }});
  attachment_ = runtime_.attach({.name = "sqlite"});
}

void SqliteCore::detach() noexcept {
  // Ends the worker if the Runtime still runs; if it never ran, the worker never will.
  attachment_ = Attachment();
  worker_.retire();
  close();
}

void SqliteCore::close() noexcept {
  const Error closed = to_error(CancelReason::shutdown);
  for (WriteQueue::Task& task : queue_.close()) {
    task->fail(closed);
    task->settle(Operation::Outcome::completed);
  }
}

Deadline SqliteCore::step() {
  std::vector<WriteQueue::Task> group = queue_.take(options_.max_group);
  if (group.empty()) return Deadline::never();
  writer_.commit(std::move(group));
  return Deadline(TimePoint::min());  // more may have come meanwhile
}

std::optional<Error> SqliteCore::enqueue(WriteQueue::Task task) {
  if (auto refused = queue_.push(std::move(task))) return refused;
  worker_.wake();
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
