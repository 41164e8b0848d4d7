#include "postgres/new_jobs.hpp"

namespace aiserve::inline v0::pg {

bool NewJobs::is_known(const NewJob& job) const {
  if (!job.unique) return false;
  const KeyLookup::Key key = KeyLookup::unique_key(job);
  return known_.holder(key) || named_.contains(key);
}

Result<void> NewJobs::admit(std::span<const NewJob> jobs) {
  std::map<std::pair<std::string, std::string>, std::int64_t> more;
  for (const NewJob& job : jobs) {
    if (is_known(job)) continue;
    const std::pair<std::string, std::string> queue{job.tenant.view(), job.kind};
    const std::int64_t waiting = known_.waiting(job) + admitted_[queue] + ++more[queue];
    if (job.max_waiting > 0 && waiting > job.max_waiting) {
      return Error(Errc::overloaded, "too many jobs of this kind wait")
          .retry_after(std::chrono::seconds(1));
    }
  }
  for (const auto& [queue, count] : more) admitted_[queue] += count;
  return success();
}

// Jobs of one transaction follow each other as well.
void NewJobs::line_up(JobRow& row, int order_concurrency) {
  const KeyLookup::Key key = KeyLookup::order_key(row);
  decide::OrderLine& line = lines_.try_emplace(key, known_.line_of(key)).first->second;
  block(row, decide::join(line, order_concurrency));
}

std::size_t NewJobs::add(const NewJob& job, JobCounts& counts) {
  const std::size_t number = places_.size();
  if (job.unique) {
    const KeyLookup::Key key = KeyLookup::unique_key(job);
    if (const auto holder = known_.holder(key)) {
      places_.push_back({.holder = holder});
      return number;
    }
    const auto [twin, first] = named_.try_emplace(key, number);
    if (!first) {
      places_.push_back(places_[twin->second]);
      places_.back().twin = true;
      return number;
    }
  }
  JobRow row = new_job_row(job, now_);
  if (row.order_key) line_up(row, job.order_concurrency);
  counts.enter(row);
  const auto batch = batches_.try_emplace(job.tenant).first;
  places_.push_back({.holder = {}, .tenant = &batch->first, .at = batch->second.jobs.size()});
  const std::int64_t until = job.unique ? unique_until(*job.unique, now_) : 0;
  batch->second.jobs.push_back({std::move(row), job.input, until});
  return number;
}

void NewJobs::write(Transaction& transaction) {
  for (auto& [tenant, batch] : batches_) {
    transaction.as_tenant(tenant);
    const std::span<const FreshJob> all(batch.jobs);
    std::size_t begin = 0;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      bytes += all[i].input.size();
      if (bytes < kStatementBytes && i + 1 < all.size()) continue;
      batch.statements.push_back(
          add_insert(transaction, tenant, all.subspan(begin, i + 1 - begin)));
      begin = i + 1;
      bytes = 0;
    }
  }
}

void NewJobs::take_ids(const std::vector<Rows>& answers) {
  for (auto& [tenant, batch] : batches_) {
    batch.ids.reserve(batch.jobs.size());
    for (const std::size_t statement : batch.statements) {
      const Rows& rows = answers[statement];
      for (int i = 0; i < rows.size(); ++i) batch.ids.push_back(rows.integer(i, 0));
    }
  }
}

Enqueued NewJobs::enqueued(std::size_t number) const {
  const Place& place = places_[number];
  if (place.holder) return {JobId(*place.holder), true};
  return {JobId(batches_.at(*place.tenant).ids.at(place.at)), place.twin};
}

}  // namespace aiserve::inline v0::pg
