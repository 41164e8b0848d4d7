#include "sqlite/group_commit.hpp"

#include <algorithm>

#include <sqlite3.h>

namespace aiserve::inline v0::detail {
namespace {

constexpr const char* kBegin = R"sql(BEGIN IMMEDIATE)sql";
constexpr const char* kCommit = R"sql(COMMIT)sql";

bool any_durable(const GroupCommit::Tasks& tasks) noexcept {
  return std::any_of(tasks.begin(), tasks.end(), [](const auto& task) { return task->durable(); });
}

}  // namespace

void GroupCommit::run(Tasks tasks) {
  // Whoever gave up while it waited is not owed a write.
  std::erase_if(tasks, [](const WriteQueue::Task& task) { return !task->pending(); });
  if (tasks.empty()) return;
  const bool durable = any_durable(tasks);
  if (durable && !durable_) commit();
  const std::size_t first = group_.size();
  group_.insert(group_.end(), std::move_iterator(tasks.begin()), std::move_iterator(tasks.end()));
  if (first == 0) {
    if (const std::optional<Error> error = begin(durable)) return fail(*error);
  }
  if (run_from(first)) return;
  undo();
  // One write that fails half-way must not take the others with it.
  if (group_.size() > 1) return run_one_by_one();
  if (failure_) return fail(*failure_);
  failures_.fetch_add(1, std::memory_order_relaxed);
  answer();
}

void GroupCommit::commit() {
  if (group_.empty()) return;
  try {
    part_.write(connection_);
    Query(connection_, kCommit).run();
    if (connection_.disk_failed()) broken_ = true;
  } catch (...) {
    const Error error = caught();
    undo();
    return fail(error);
  }
  part_.forget();
  if (connection_.changes() != changes_) commits_.fetch_add(1, std::memory_order_relaxed);
  writes_.fetch_add(group_.size(), std::memory_order_relaxed);
  answer();
}

std::optional<Error> GroupCommit::begin(bool durable) {
  if (broken_ && !mended()) return Error(Errc::unavailable, "the store cannot be used");
  durable_ = durable;
  changes_ = connection_.changes();
  try {
    connection_.wait_for_disk(durable);
    Query(connection_, kBegin).run();
  } catch (...) {
    return caught();
  }
  return std::nullopt;
}

bool GroupCommit::run_from(std::size_t first) {
  failure_.reset();
  try {
    for (std::size_t i = first; i < group_.size(); ++i) {
      const std::int64_t before = connection_.changes();
      group_[i]->run(connection_);
      if (group_[i]->failed() && connection_.changes() != before) return false;
    }
  } catch (...) {
    failure_ = caught();
    return false;
  }
  return true;
}

void GroupCommit::run_one_by_one() {
  for (WriteQueue::Task& task : std::exchange(group_, {})) {
    Tasks alone;
    alone.push_back(std::move(task));
    run(std::move(alone));
    commit();
  }
}

// After a failed sync the system takes pages for written that are not: what was committed without
// waiting may be lost though later syncs succeed, and all that follows it in the log with it. So
// the log's content goes to the file, and a new one begins.
bool GroupCommit::mended() {
  broken_ = !connection_.begin_log();
  return !broken_;
}

void GroupCommit::undo() noexcept {
  connection_.rollback();
  part_.forget();
}

Error GroupCommit::caught() noexcept {
  try {
    throw;
  } catch (const SQLite::Exception& error) {
    if (error.getErrorCode() == SQLITE_IOERR) broken_ = true;
    return to_error(error);
  } catch (...) {
    return error_from_current_exception();
  }
}

void GroupCommit::fail(const Error& error) {
  for (const WriteQueue::Task& task : group_) task->fail(error);
  failures_.fetch_add(group_.size(), std::memory_order_relaxed);
  answer();
}

void GroupCommit::answer() noexcept {
  SettledBatch settled;
  for (WriteQueue::Task& task : group_) {
    settled.settle(std::move(task), Operation::Outcome::completed);
  }
  group_.clear();
}

}  // namespace aiserve::inline v0::detail
