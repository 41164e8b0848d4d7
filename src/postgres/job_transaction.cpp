// Enqueueing, what all calls share, and how a transaction ends; settling, claiming and what is done
// now and then have files of their own.
#include "postgres/job_transaction.hpp"

#include <algorithm>

namespace aiserve::inline v0::pg {
namespace {

constexpr const char* kEvents =
    R"sql(INSERT INTO aiserve.job_event (tenant, topic, payload)
          SELECT $1, topic, payload FROM unnest($2::bytea[], $3::bytea[]) AS v (topic, payload))sql";

/// Of each job, or why there is none.
using Numbers = Result<std::vector<std::size_t>>;

JobTransaction::EnqueueResult with_ids(const Numbers& numbers, const NewJobs& made) {
  if (!numbers) return numbers.error();
  std::vector<Enqueued> ids;
  ids.reserve(numbers->size());
  for (const std::size_t number : *numbers) ids.push_back(made.enqueued(number));
  return ids;
}

Numbers add_all(std::span<const NewJob> jobs, NewJobs& made, JobCounts& counts) {
  if (const Result<void> room = made.admit(jobs); !room) return room.error();
  std::vector<std::size_t> numbers;
  numbers.reserve(jobs.size());
  for (const NewJob& job : jobs) numbers.push_back(made.add(job, counts));
  return numbers;
}

}  // namespace

std::vector<std::optional<JobTransaction::EnqueueResult>> JobTransaction::enqueue(
    std::span<const std::span<const NewJob>> requests, Patience patience) {
  KeyLookup known(patience);
  for (const std::span<const NewJob> jobs : requests) {
    for (const NewJob& job : jobs) known.want(job, true);
  }
  look_up(known);
  NewJobs made(known, transaction_.now());
  std::vector<std::optional<Numbers>> numbers(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto is_locked = [&](const NewJob& job) { return known.is_locked(job); };
    if (std::any_of(requests[i].begin(), requests[i].end(), is_locked)) continue;
    numbers[i] = add_all(requests[i], made, counts_);
  }
  commit(&made);
  std::vector<std::optional<EnqueueResult>> answers(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (numbers[i]) answers[i] = with_ids(*numbers[i], made);
  }
  return answers;
}

bool JobTransaction::advance(JobRow& row, const decide::JobEvent& event) {
  const JobRow before = row;
  if (!advance_row(row, event, transaction_.now())) return false;
  counts_.leave(before);
  counts_.enter(row);
  return true;
}

void JobTransaction::keep(JobRow row) {
  if (row.final()) {
    JobRows& rows = closes_[row.tenant];
    rows.push_back(std::move(row));
  } else {
    updates_.push_back(std::move(row));
  }
}

std::pair<int, int> JobTransaction::advance_free(
    JobRows rows, const std::function<decide::JobEvent(const JobRow&)>& event) {
  const auto turn_of = [&](JobRow row) -> std::optional<std::int64_t> {
    if (!row.order_key || !advance_row(row, event(row), transaction_.now())) return std::nullopt;
    if (!row.final()) return std::nullopt;
    return KeyLookup::lock_of_order(KeyLookup::order_key(row));
  };
  std::vector<std::int64_t> turns;
  for (const JobRow& row : rows) {
    if (const auto turn = turn_of(row)) turns.push_back(*turn);
  }
  const std::set<std::int64_t> others = KeyLookup::try_locks(transaction_, turns);
  std::pair<int, int> counts;
  for (JobRow& row : rows) {
    const std::optional<std::int64_t> turn = turn_of(row);
    if ((turn && others.contains(*turn)) || !advance(row, event(row))) continue;
    ++counts.first;
    counts.second += row.core.state == decide::JobState::discarded ? 1 : 0;
    keep(std::move(row));
  }
  return counts;
}

void JobTransaction::look_up(KeyLookup& known) {
  std::vector<std::int64_t> leaving;
  std::vector<std::int64_t> freed;
  for (const auto* ends : {&closes_, &done_}) {
    for (const auto& [tenant, rows] : *ends) {
      for (const JobRow& row : rows) {
        leaving.push_back(row.id);
        if (row.unique_scope == JobUniqueScope::unfinished) freed.push_back(row.id);
        if (!row.order_key) continue;
        // What was blocked held up nobody: others still have their turn.
        if (row.was_blocked == 0) {
          known.want_next(row);
        } else {
          known.want_order(row);
        }
      }
    }
  }
  // The time of the transaction is in the first answer.
  if (known.empty() && transaction_.began()) return;
  transaction_.as_dispatcher();
  known.run(transaction_, leaving, freed);
  give_turns(known);
}

void JobTransaction::give_turns(KeyLookup& known) {
  for (JobRow& next : known.take_next()) {
    next.blocked = 0;
    // Refused if its time has not come: then it is found when it has.
    advance(next, {.kind = decide::JobEventKind::due});
    updates_.push_back(std::move(next));
  }
}

void JobTransaction::write_ends() {
  for (const auto* ends : {&closes_, &done_}) {
    for (const auto& [tenant, rows] : *ends) {
      transaction_.as_tenant(tenant);
      if (ends == &closes_) add_close(transaction_, tenant, rows);
      add_drop_unique(transaction_, tenant, rows);
    }
  }
}

void JobTransaction::write_events() {
  for (const auto& [tenant, events] : events_) {
    transaction_.as_tenant(tenant);
    std::vector<std::string_view> topics;
    std::vector<std::string_view> payloads;
    std::size_t bytes = 0;
    for (const JobEvent* event : events) {
      topics.emplace_back(event->topic);
      payloads.push_back(event->payload.text());
      bytes += event->payload.size();
      if (bytes < kStatementBytes && event != events.back()) continue;
      transaction_.add(kEvents, tenant, std::exchange(topics, {}), std::exchange(payloads, {}));
      bytes = 0;
    }
  }
}

std::vector<Rows> JobTransaction::commit(NewJobs* made) {
  write_ends();
  if (made != nullptr) made->write(transaction_);
  write_events();
  if (!updates_.empty() || !counts_.empty()) transaction_.as_dispatcher();
  add_update(transaction_, updates_);
  counts_.write(transaction_);
  transaction_.finish_with_next();
  std::vector<Rows> answers = transaction_.flush();
  if (made != nullptr) made->take_ids(answers);
  return answers;
}

}  // namespace aiserve::inline v0::pg
