// NewJobs: the jobs that a transaction makes: which keys already have one, what is inserted, and
// the ids that came of it.
#pragma once

#include "postgres/job_counts.hpp"
#include "postgres/key_lookup.hpp"

namespace aiserve::inline v0::pg {

class NewJobs {
 public:
  NewJobs(const KeyLookup& known, std::int64_t now) noexcept : known_(known), now_(now) {}

  /// All or none. Errors: overloaded (max_waiting).
  Result<void> admit(std::span<const NewJob> jobs);
  /// Returns a number for enqueued().
  std::size_t add(const NewJob& job, JobCounts& counts);

  /// As the tenants.
  void write(Transaction& transaction);
  /// What flush() answered.
  void take_ids(const std::vector<Rows>& answers);
  Enqueued enqueued(std::size_t number) const;

 private:
  struct Place {
    std::optional<std::int64_t> holder;  ///< the job that was there
    const TenantId* tenant = nullptr;    ///< else its batch, and where in it
    std::size_t at = 0;
    bool twin = false;
  };
  struct Batch {
    std::vector<FreshJob> jobs;
    std::vector<std::size_t> statements;
    std::vector<std::int64_t> ids;
  };
  bool is_known(const NewJob& job) const;
  void line_up(JobRow& row, int order_concurrency);

  const KeyLookup& known_;
  const std::int64_t now_;
  std::map<std::pair<std::string, std::string>, std::int64_t> admitted_;  // tenant, kind
  std::map<TenantId, Batch> batches_;
  std::vector<Place> places_;
  std::map<KeyLookup::Key, std::size_t> named_;  // numbers of those with a unique key
  std::map<KeyLookup::Key, decide::OrderLine> lines_;
};

}  // namespace aiserve::inline v0::pg
