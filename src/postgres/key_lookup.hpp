// KeyLookup: what a transaction has to know of keys and of full queues before it makes or ends
// jobs. Keys are locked until the end of the transaction, in one order, so that of two transactions
// that want the same one the second sees what the first did.
#pragma once

#include <map>
#include <set>
#include <tuple>

#include "postgres/job_statements.hpp"

namespace aiserve::inline v0::pg {

class KeyLookup {
 public:
  /// Tenant, kind, key.
  using Key = std::tuple<std::string, std::string, std::string>;
  static Key unique_key(const NewJob& job);
  static Key order_key(const JobRow& row);

  /// Everything that enqueueing this job asks for.
  void want(const NewJob& job, bool with_room);
  void want_order(const JobRow& row) { orders_.insert(order_key(row)); }
  bool empty() const noexcept { return uniques_.empty() && orders_.empty() && rooms_.empty(); }

  /// Asks, as the dispatcher. `leaving`: jobs that this transaction ends, `free`: those whose
  /// unique key goes with them.
  void run(Transaction& transaction, const std::vector<std::int64_t>& leaving,
           const std::vector<std::int64_t>& free);

  /// The job that holds it.
  std::optional<std::int64_t> holder(const Key& unique) const;
  /// The oldest job that stays.
  const JobRow* first_of(const Key& order) const;
  std::int64_t waiting(const NewJob& job) const;

 private:
  std::vector<std::int64_t> locks() const;

  std::set<Key> uniques_;
  std::set<Key> orders_;
  std::set<std::pair<std::string, std::string>> rooms_;  // tenant, kind
  std::map<Key, std::int64_t> holders_;
  std::map<Key, JobRow> first_;
  std::map<std::pair<std::string, std::string>, std::int64_t> waiting_;
};

}  // namespace aiserve::inline v0::pg
