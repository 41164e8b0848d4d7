#include "postgres/job_counts.hpp"

#include <algorithm>

namespace aiserve::inline v0::pg {
namespace {

using decide::JobState;

// In the order of the keys, so that two transactions never wait for each other.
constexpr const char* kCount =
    R"sql(INSERT INTO aiserve.job_count AS kept
            (kind, tenant, slot, waiting, ready, running, changed_at)
          SELECT kind, tenant, $6, waiting, ready, running, aiserve.now_ns()
          FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[])
            AS v (kind, tenant, waiting, ready, running)
          ON CONFLICT (kind, tenant, slot) DO UPDATE SET
            waiting = kept.waiting + excluded.waiting, ready = kept.ready + excluded.ready,
            running = kept.running + excluded.running, changed_at = excluded.changed_at)sql";

}  // namespace

void JobCounts::count(const JobRow& row, JobState state, std::int64_t by) {
  if (decide::is_final(state)) return;
  Numbers& numbers = of(row);
  if (state == JobState::available) {
    numbers.ready += by;
  } else if (state == JobState::running) {
    numbers.running += by;
  } else {
    numbers.waiting += by;
  }
}

void JobCounts::enter(const JobRow& row) {
  count(row, row.core.state, 1);
  if (row.core.state != JobState::available) return;
  std::optional<std::int64_t>& lowest = of(row).lowest;
  lowest = std::min(lowest.value_or(row.rank), row.rank);
}

std::vector<ReadyJob> JobCounts::made_ready() const {
  std::vector<ReadyJob> all;
  for (const auto& [key, numbers] : numbers_) {
    if (numbers.lowest) all.push_back({key.second, key.first, *numbers.lowest});
  }
  return all;
}

void JobCounts::claim(const JobRow& row) {
  count(row, JobState::available, -1);
  count(row, JobState::running, 1);
}

bool JobCounts::empty() const noexcept {
  return std::all_of(numbers_.begin(), numbers_.end(),
                     [](const auto& entry) { return entry.second.zero(); });
}

void JobCounts::write(Transaction& transaction) const {
  std::vector<std::string_view> kinds;
  std::vector<std::string_view> tenants;
  std::vector<std::int64_t> waiting;
  std::vector<std::int64_t> ready;
  std::vector<std::int64_t> running;
  for (const auto& [key, numbers] : numbers_) {
    if (numbers.zero()) continue;
    kinds.emplace_back(key.first);
    tenants.push_back(key.second.view());
    waiting.push_back(numbers.waiting);
    ready.push_back(numbers.ready);
    running.push_back(numbers.running);
  }
  if (kinds.empty()) return;
  transaction.add(kCount, kinds, tenants, waiting, ready, running, transaction.slot());
}

}  // namespace aiserve::inline v0::pg
