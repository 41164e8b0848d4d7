#include "sqlite/job_counts.hpp"

namespace aiserve::inline v0::detail {
namespace {

constexpr const char* kRead =
    R"sql(SELECT waiting, ready, running FROM job_count WHERE tenant = ?1 AND kind = ?2)sql";
constexpr const char* kWrite =
    R"sql(INSERT OR REPLACE INTO job_count (kind, tenant, waiting, ready, running)
          VALUES (?2, ?1, ?3, ?4, ?5))sql";
constexpr const char* kForget = R"sql(DELETE FROM job_count WHERE tenant = ?1 AND kind = ?2)sql";

}  // namespace

JobCounts::Rows::value_type& JobCounts::row_of(std::string_view kind, const TenantId& tenant) {
  const View key{kind, tenant.view()};
  auto at = rows_.lower_bound(key);
  if (at == rows_.end() || Less()(key, at->first)) {
    at = rows_.emplace_hint(at, Key(kind, tenant), Row());
  }
  return *at;
}

void JobCounts::add(std::string_view kind, const TenantId& tenant, decide::JobState state,
                    std::int64_t by) {
  JobNumbers& change = row_of(kind, tenant).second.change;
  switch (state) {
    case decide::JobState::scheduled:
    case decide::JobState::retryable:
      change.waiting += by;
      return;
    case decide::JobState::available:
      change.ready += by;
      return;
    case decide::JobState::running:
      change.running += by;
      return;
    default:
      return;
  }
}

void JobCounts::read(Connection& connection, const Key& key, Row& row) {
  if (row.stored) return;
  Query query(connection, kRead, key.second, key.first);
  row.stored.emplace();
  if (query.row()) row.stored = JobNumbers{query.integer(0), query.integer(1), query.integer(2)};
}

std::int64_t JobCounts::waiting(Connection& connection, std::string_view kind,
                                const TenantId& tenant) {
  auto& [key, row] = row_of(kind, tenant);
  read(connection, key, row);
  return row.stored->waiting + row.stored->ready + row.change.waiting + row.change.ready;
}

void JobCounts::write_row(Connection& connection, const Key& key, Row& row) {
  if (row.change.none()) return;
  read(connection, key, row);
  JobNumbers& now = *row.stored;
  now = {now.waiting + row.change.waiting, now.ready + row.change.ready,
         now.running + row.change.running};
  row.change = {};
  if (now.none()) {
    Query(connection, kForget, key.second, key.first).run();
  } else {
    Query(connection, kWrite, key.second, key.first, now.waiting, now.ready, now.running).run();
  }
}

void JobCounts::write(Connection& connection) {
  for (auto& [key, row] : rows_) write_row(connection, key, row);
}

}  // namespace aiserve::inline v0::detail
