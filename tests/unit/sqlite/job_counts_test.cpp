#include "sqlite/job_counts.hpp"

#include <doctest/doctest.h>

#include "aiserve/core/runtime.hpp"
#include "aiserve/sqlite/sqlite_database.hpp"
#include "support/temporary_folder.hpp"

using namespace aiserve;
using decide::JobState;
using detail::Connection;
using detail::JobCounts;
using testing::TemporaryFolder;

namespace {

const TenantId kTenant("t");

/// A file with the schema, and a transaction on it.
struct Place {
  Place() {
    Runtime owner;
    const SqliteDatabase database(owner, {.path = folder.file("jobs.db")});
    connection.emplace(folder.file("jobs.db"), Connection::Options{});
  }
  /// "waiting ready running" of the row, or nothing.
  std::string stored() {
    detail::Query row(*connection,
                      "SELECT waiting || ' ' || ready || ' ' || running FROM job_count");
    return row.row() ? row.string(0) : "";
  }

  TemporaryFolder folder;
  std::optional<Connection> connection;
};

}  // namespace

TEST_CASE("changes of counts are written together, on top of what is there") {
  Place place;
  JobCounts counts;
  for (int i = 0; i < 5; ++i) counts.add("a", kTenant, JobState::available, 1);
  counts.add("a", kTenant, JobState::retryable, 1);
  CHECK(place.stored().empty());
  counts.write(*place.connection);
  CHECK(place.stored() == "1 5 0");
  counts.forget();
  counts.add("a", kTenant, JobState::available, -2);
  counts.add("a", kTenant, JobState::running, 2);
  counts.write(*place.connection);
  CHECK(place.stored() == "1 3 2");
}

TEST_CASE("written twice, counts are counted once") {
  Place place;
  JobCounts counts;
  counts.add("a", kTenant, JobState::scheduled, 1);
  counts.write(*place.connection);
  counts.write(*place.connection);
  counts.add("a", kTenant, JobState::scheduled, 1);
  counts.write(*place.connection);
  CHECK(place.stored() == "2 0 0");
}

TEST_CASE("waiting jobs are those of the file and of the transaction") {
  Place place;
  JobCounts counts;
  counts.add("a", kTenant, JobState::available, 3);
  counts.write(*place.connection);
  counts.forget();
  counts.add("a", kTenant, JobState::scheduled, 2);
  counts.add("a", kTenant, JobState::running, 7);
  CHECK(counts.waiting(*place.connection, "a", kTenant) == 5);
  CHECK(counts.waiting(*place.connection, "a", TenantId("other")) == 0);
}

TEST_CASE("a transaction that was undone leaves no counts behind") {
  Place place;
  JobCounts counts;
  counts.add("a", kTenant, JobState::available, 3);
  counts.forget();
  counts.write(*place.connection);
  CHECK(place.stored().empty());
}

TEST_CASE("the row of a kind without jobs is deleted") {
  Place place;
  JobCounts counts;
  counts.add("a", kTenant, JobState::running, 1);
  counts.write(*place.connection);
  counts.add("a", kTenant, JobState::running, -1);
  counts.write(*place.connection);
  CHECK(place.stored().empty());
}

TEST_CASE("kinds and tenants whose names run together are counted apart") {
  Place place;
  JobCounts counts;
  const std::vector<std::pair<const char*, const char*>> pairs{
      {"ab", "c"}, {"a", "bc"}, {"", "abc"}, {"abc", ""}, {"b", "a"}, {"a", "b"}};
  std::int64_t n = 0;
  for (const auto& [kind, tenant] : pairs) {
    counts.add(kind, TenantId(tenant), JobState::available, ++n);
  }
  n = 0;
  for (const auto& [kind, tenant] : pairs) {
    CHECK(counts.waiting(*place.connection, kind, TenantId(tenant)) == ++n);
  }
}
