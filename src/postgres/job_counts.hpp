// JobCounts: what a transaction changes in the numbers of waiting, ready and running jobs per
// tenant and kind, so that nobody ever counts rows; and which jobs it made ready.
#pragma once

#include <map>

#include "postgres/job_row.hpp"
#include "postgres/transaction.hpp"

namespace aiserve::inline v0::pg {

/// A job that can be claimed now.
struct ReadyJob {
  TenantId tenant;
  std::string kind;
  std::int64_t rank;
};

class JobCounts {
 public:
  void enter(const JobRow& row);
  void leave(const JobRow& row) { count(row, row.core.state, -1); }
  /// From running to its outcome.
  void finish(const JobRow& row) { count(row, decide::JobState::running, -1); }
  /// From ready to running.
  void claim(const JobRow& row);

  /// As the dispatcher, at the end of the transaction: others that count wait for it.
  void write(Transaction& transaction) const;
  bool empty() const noexcept;
  /// Of each tenant and kind the one with the lowest rank.
  std::vector<ReadyJob> made_ready() const;

 private:
  struct Numbers {
    std::int64_t waiting = 0;
    std::int64_t ready = 0;
    std::int64_t running = 0;
    std::optional<std::int64_t> lowest{};  // rank of what was made ready
    bool zero() const noexcept { return waiting == 0 && ready == 0 && running == 0; }
  };
  Numbers& of(const JobRow& row) { return numbers_[{row.kind, row.tenant}]; }
  void count(const JobRow& row, decide::JobState state, std::int64_t by);

  std::map<std::pair<std::string, TenantId>, Numbers> numbers_;
};

}  // namespace aiserve::inline v0::pg
