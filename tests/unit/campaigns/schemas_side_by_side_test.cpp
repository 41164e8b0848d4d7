// A newer program migrates the file while an older one works with it.
#include <array>

#include <doctest/doctest.h>

#include "sqlite/migration.hpp"
#include "unit/campaigns/queue_process.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using namespace aiserve::testing;

namespace {

/// The schema of the next version: this program's and a step more.
std::vector<v0::detail::Migration> next_version(int works_since) {
  const auto known = v0::detail::migrations();
  std::vector<v0::detail::Migration> steps(known.begin(), known.end());
  steps.push_back({static_cast<int>(steps.size()) + 1, "next",
                   "ALTER TABLE job ADD COLUMN note TEXT NOT NULL DEFAULT '';"
                   "CREATE INDEX job_note ON job (tenant, note);"
                   "ALTER TABLE job_done ADD COLUMN note TEXT NOT NULL DEFAULT ''",
                   works_since});
  return steps;
}

void migrate(const TemporaryFolder& folder, int works_since) {
  v0::detail::Connection connection(folder.file("jobs.db"), {.busy_timeout_ms = 10'000});
  const auto steps = next_version(works_since);
  CHECK(v0::detail::migrate(connection, steps, 1) == 1);
}

constexpr int kJobs = 300;

}  // namespace

TEST_CASE("a newer program migrates under an older one that works on, and is started again") {
  const TemporaryFolder folder;
  const int version = static_cast<int>(v0::detail::migrations().size());
  Countdown ended(2 * kJobs);
  const auto work = [&ended](const Context&, const Job& job) -> Async<JobOutcome> {
    ended.count();
    co_return JobOutcome::done(job.input());
  };
  std::vector<JobId> ids;
  QueueProcess older(folder);
  older.jobs.on("work", work);
  older.runtime.start();
  for (int i = 0; i < kJobs; ++i) {
    if (i == kJobs / 2) migrate(folder, version);
    ids.push_back(older.enqueue("work", std::to_string(i)));
  }
  QueueProcess again(folder);
  again.jobs.on("work", work);
  again.runtime.start();
  for (int i = 0; i < kJobs; ++i) ids.push_back(again.enqueue("work", std::to_string(i)));
  ended.wait();
  older.drain();
  again.drain();
  for (const JobId id : ids) {
    const JobInfo job = again.info(id);
    CHECK(job.state == JobState::completed);
    CHECK(job.attempt == 1);
  }
}

TEST_CASE("a newer schema that older programs cannot work with is refused by them at the start") {
  const TemporaryFolder folder;
  { const QueueProcess first(folder); }
  migrate(folder, static_cast<int>(v0::detail::migrations().size()) + 1);
  CHECK_THROWS_AS(QueueProcess{folder}, ConfigError);
}
