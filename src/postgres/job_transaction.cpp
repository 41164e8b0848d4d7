// Enqueueing, what all calls share, and how a transaction ends; settling, claiming and what is done
// now and then have files of their own.
#include "postgres/job_transaction.hpp"

#include <array>

namespace aiserve::inline v0::pg {
namespace {

constexpr const char* kEvents =
    R"sql(INSERT INTO aiserve.job_event (tenant, topic, payload)
          SELECT $1, topic, payload FROM unnest($2::bytea[], $3::bytea[]) AS v (topic, payload))sql";

/// Enqueued at once or refused at once.
using Numbers = Result<std::vector<std::size_t>>;

JobTransaction::EnqueueResult with_ids(const Numbers& numbers, const NewJobs& made) {
  if (!numbers) return numbers.error();
  std::vector<Enqueued> ids;
  ids.reserve(numbers->size());
  for (const std::size_t number : *numbers) ids.push_back(made.enqueued(number));
  return ids;
}

}  // namespace

std::vector<JobTransaction::EnqueueResult> JobTransaction::enqueue(
    std::span<const std::span<const NewJob>> requests) {
  KeyLookup known;
  for (const std::span<const NewJob> jobs : requests) {
    for (const NewJob& job : jobs) known.want(job, true);
  }
  look_up(known);
  NewJobs made(known, transaction_.now());
  std::vector<Numbers> numbers;
  numbers.reserve(requests.size());
  for (const std::span<const NewJob> jobs : requests) {
    const Result<void> room = made.admit(jobs);
    Numbers& own = numbers.emplace_back(room ? Numbers(std::vector<std::size_t>()) : room.error());
    for (std::size_t i = 0; room && i < jobs.size(); ++i)
      own->push_back(made.add(jobs[i], counts_));
  }
  commit(&made);
  std::vector<EnqueueResult> answers;
  answers.reserve(numbers.size());
  for (const Numbers& own : numbers) answers.push_back(with_ids(own, made));
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

void JobTransaction::look_up(KeyLookup& known) {
  std::vector<std::int64_t> leaving;
  std::vector<std::int64_t> freed;
  for (const auto* ends : {&closes_, &done_}) {
    for (const auto& [tenant, rows] : *ends) {
      for (const JobRow& row : rows) {
        leaving.push_back(row.id);
        if (row.unique_scope == JobUniqueScope::unfinished) freed.push_back(row.id);
        if (row.order_key) known.want_order(row);
      }
    }
  }
  // The time of the transaction is in the first answer.
  if (known.empty() && transaction_.began()) return;
  transaction_.as_dispatcher();
  known.run(transaction_, leaving, freed);
  unblock_next(known);
}

void JobTransaction::unblock_next(const KeyLookup& known) {
  std::set<KeyLookup::Key> keys;
  for (const auto* ends : {&closes_, &done_}) {
    for (const auto& [tenant, rows] : *ends) {
      for (const JobRow& row : rows) {
        // What was blocked held up nobody: another one still has the key.
        if (row.order_key && !row.was_blocked) keys.insert(KeyLookup::order_key(row));
      }
    }
  }
  for (const KeyLookup::Key& key : keys) {
    const JobRow* first = known.first_of(key);
    if (first == nullptr || !first->blocked) continue;
    JobRow next = *first;
    next.blocked = false;
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
