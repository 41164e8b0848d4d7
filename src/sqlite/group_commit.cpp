#include "sqlite/group_commit.hpp"

#include <algorithm>

namespace aiserve::inline v0::detail {
namespace {

constexpr const char* kBegin = R"sql(BEGIN IMMEDIATE)sql";
constexpr const char* kCommit = R"sql(COMMIT)sql";

}  // namespace

void GroupCommit::commit(std::vector<WriteQueue::Task> group) {
  // Whoever gave up while it waited is not owed a write.
  std::erase_if(group, [](const WriteQueue::Task& task) { return !task->pending(); });
  if (group.empty()) return;
  // One write that fails half-way must not take the others with it.
  if (run_together(group) == Ran::half_done) {
    for (const WriteQueue::Task& task : group) run_alone(task);
  }
  SettledBatch settled;
  for (WriteQueue::Task& task : group) {
    settled.settle(std::move(task), Operation::Outcome::completed);
  }
}

GroupCommit::Ran GroupCommit::run_together(std::span<const WriteQueue::Task> group) {
  bool began = false;
  bool running = true;
  try {
    Query(connection_, kBegin).run();
    began = true;
    const std::int64_t start = connection_.changes();
    for (const WriteQueue::Task& task : group) {
      const std::int64_t before = connection_.changes();
      task->run(connection_);
      if (task->failed() && connection_.changes() != before) {
        connection_.rollback();
        // Alone in its group: rolled back, and told.
        return group.size() == 1 ? Ran::failed : Ran::half_done;
      }
    }
    running = false;
    Query(connection_, kCommit).run();
    if (connection_.changes() != start) commits_.fetch_add(1, std::memory_order_relaxed);
  } catch (const SQLite::Exception& error) {
    connection_.rollback();
    if (began && running && group.size() > 1) return Ran::half_done;
    fail_all(group, to_error(error));
    return Ran::failed;
  } catch (...) {
    connection_.rollback();
    if (group.size() > 1) return Ran::half_done;
    fail_all(group, error_from_current_exception());
    return Ran::failed;
  }
  writes_.fetch_add(group.size(), std::memory_order_relaxed);
  return Ran::committed;
}

void GroupCommit::run_alone(const WriteQueue::Task& task) { run_together(std::span(&task, 1)); }

void GroupCommit::fail_all(std::span<const WriteQueue::Task> group, const Error& error) {
  for (const WriteQueue::Task& task : group) task->fail(error);
  failures_.fetch_add(group.size(), std::memory_order_relaxed);
}

}  // namespace aiserve::inline v0::detail
