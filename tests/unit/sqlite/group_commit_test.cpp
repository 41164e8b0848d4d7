#include "sqlite/group_commit.hpp"

#include <doctest/doctest.h>

#include "aiserve/core/runtime.hpp"
#include "aiserve/testing/sim_runtime.hpp"
#include "core/runtime_core.hpp"
#include "support/temporary_folder.hpp"

using namespace aiserve;
using detail::Connection;
using detail::GroupCommit;
using detail::Promise;
using detail::Query;
using testing::TemporaryFolder;

namespace {

struct NoPart final : detail::CommitPart {
  void write(Connection& /*connection*/) override {}
  void forget() noexcept override {}
};

/// A table of numbers, and who was answered about them.
struct Place {
  Place() : connection(folder.file("numbers.db"), Connection::Options{}) {
    Query(connection, "CREATE TABLE number (value INTEGER)").run();
  }

  /// A write of `value`; negative: written, and then refused.
  auto write(int value, Promise promise = Promise::durable) {
    const auto insert = [value](Connection& into) -> Result<int> {
      Query(into, "INSERT INTO number VALUES (?1)", value).run();
      if (value < 0) return Error(Errc::conflict, "negative");
      return value;
    };
    auto task = detail::make_intrusive<detail::CallWrite<decltype(insert)>>(insert, promise);
    task->bind(*sim.runtime().core().io(0));
    return task;
  }
  template <class... Task>
  void run(const Task&... task) {
    GroupCommit::Tasks tasks;
    (tasks.push_back(detail::WriteQueue::Task::share(task.get())), ...);
    group.run(std::move(tasks));
  }
  /// What others see.
  int committed() {
    Connection reader(folder.file("numbers.db"), Connection::Options{});
    Query count(reader, "SELECT COUNT(*) FROM number");
    return count.row() ? static_cast<int>(count.integer(0)) : -1;
  }

  TemporaryFolder folder;
  testing::SimRuntime sim;
  Connection connection;
  NoPart part;
  GroupCommit group{connection, part};
};

}  // namespace

TEST_CASE("writes that come one after the other are one transaction, answered after its commit") {
  Place place;
  const auto first = place.write(1);
  const auto second = place.write(2);
  place.run(first);
  place.run(second);
  CHECK(place.group.size() == 2);
  CHECK(first->pending());
  CHECK(place.committed() == 0);
  place.group.commit();
  CHECK_FALSE(first->pending());
  CHECK(second->result.value() == 2);
  CHECK(place.committed() == 2);
  CHECK(place.group.commits() == 1);
  CHECK(place.group.size() == 0);
}

TEST_CASE("a durable write does not join a transaction that will not wait for the disk") {
  Place place;
  const auto claim = place.write(1, Promise::repeatable);
  const auto enqueue = place.write(2);
  place.run(claim);
  place.run(enqueue);
  CHECK_FALSE(claim->pending());
  CHECK(enqueue->pending());
  CHECK(place.group.size() == 1);
  const auto later = place.write(3, Promise::repeatable);
  place.run(later);
  CHECK(place.group.size() == 2);
  place.group.commit();
  CHECK(place.committed() == 3);
  CHECK(place.group.commits() == 2);
}

TEST_CASE("a late write that fails half-way is told alone, and those before it are committed") {
  Place place;
  const auto good = place.write(1);
  const auto bad = place.write(-1);
  const auto other = place.write(2);
  place.run(good);
  place.run(bad, other);
  CHECK(place.group.size() == 0);
  CHECK(good->result.value() == 1);
  CHECK(bad->result.error().code() == Errc::conflict);
  CHECK(other->result.value() == 2);
  CHECK(place.committed() == 2);
  CHECK(place.group.writes() == 2);
  CHECK(place.group.failures() == 1);
}

TEST_CASE("whoever gave up before its write began is not owed one") {
  Place place;
  const auto gone = place.write(1);
  gone->settle(detail::Operation::Outcome::deadline);
  place.run(gone);
  CHECK(place.group.size() == 0);
  place.group.commit();
  CHECK(place.committed() == 0);
  CHECK(place.group.commits() == 0);
  place.sim.run_until_idle();
}

TEST_CASE("while another process writes, a group is refused with its reason") {
  Place place;
  Connection other(place.folder.file("numbers.db"), Connection::Options{});
  Query(other, "BEGIN IMMEDIATE").run();
  const auto task = place.write(1);
  place.run(task);
  CHECK_FALSE(task->pending());
  CHECK(task->result.error().code() == Errc::unavailable);
  CHECK(place.group.size() == 0);
}
