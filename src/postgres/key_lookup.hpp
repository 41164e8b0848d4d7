// KeyLookup: what a transaction has to know of keys and of full queues before it makes or ends
// jobs. Keys are locked until the end of the transaction, in one order, so that of two transactions
// that want the same one the second sees what the first did.
//
// Queues that are bounded (max_waiting) are locked as well, after the keys. What others add and
// have not committed is not seen; but the server allows only so many connections. So while a queue
// is at most half full, transactions that each add a small part of the other half share the lock:
// together they cannot fill it. The rest have it alone. Whoever works for many does not wait for
// such a lock, but asks what is_locked(), and leaves that to others.
#pragma once

#include <limits>
#include <map>
#include <set>
#include <tuple>

#include "decide/order_line.hpp"
#include "postgres/job_statements.hpp"

namespace aiserve::inline v0::pg {

/// With locks that others hold.
enum class Patience : std::uint8_t {
  none,   ///< those of queues are left alone: is_locked()
  quick,  ///< PgError after a quarter of a second
  brief,  ///< after a second
  full,   ///< as long as the transaction may take
};

class KeyLookup {
 public:
  explicit KeyLookup(Patience patience = Patience::full) noexcept : patience_(patience) {}

  /// Tenant, kind, key.
  using Key = std::tuple<std::string, std::string, std::string>;
  static Key unique_key(const NewJob& job);
  static Key order_key(const JobRow& row);
  /// The number of its lock.
  static std::int64_t lock_of_order(const Key& order);
  /// From here to the end of the transaction no lock is waited for longer than Patience::brief.
  static void wait_briefly(Transaction& transaction);
  /// Of locks by their numbers those that others have; the rest is had until the end.
  static std::set<std::int64_t> try_locks(Transaction& transaction,
                                          const std::vector<std::int64_t>& numbers);

  /// Everything that enqueueing this job asks for.
  void want(const NewJob& job, bool with_room);
  void want_order(const JobRow& row) { orders_.insert(order_key(row)); }
  /// A turn under its order key ends, see take_next().
  void want_next(const JobRow& row);
  /// The numbers of the locks of keys, in their order.
  std::vector<std::int64_t> locks() const;
  bool empty() const noexcept { return uniques_.empty() && orders_.empty() && rooms_.empty(); }

  /// Asks, as the dispatcher. `leaving`: jobs that this transaction ends, `free`: those whose
  /// unique key goes with them.
  /// What it finds is of before this transaction's changes.
  void run(Transaction& transaction, const std::vector<std::int64_t>& leaving,
           const std::vector<std::int64_t>& free);

  /// The job that holds it.
  std::optional<std::int64_t> holder(const Key& unique) const;
  /// As it is without those that leave.
  decide::OrderLine line_of(const Key& order) const;
  /// Those that have their turn now because others leave; they are counted in line_of().
  JobRows take_next();
  std::int64_t waiting(const NewJob& job) const;
  /// Whether there is room is not known.
  bool is_locked(const NewJob& job) const;

 private:
  using Queue = std::pair<std::string, std::string>;  // tenant, kind
  struct Room {
    std::int64_t jobs = 0;  ///< that want in
    std::int64_t most = std::numeric_limits<std::int64_t>::max();
  };

  struct Line {
    decide::OrderLine now;
    std::int64_t room = 0;  ///< of those in line
  };

  /// Asks twice: for the locks, then for what waits.
  std::pair<std::size_t, std::size_t> ask_rooms(Transaction& transaction) const;
  void take_rooms(const Rows& locked, const Rows& waiting);
  void take_lines(const Rows& lines);

  const Patience patience_;
  std::set<Key> uniques_;
  std::set<Key> orders_;
  std::map<Queue, Room> rooms_;
  std::map<Key, std::int64_t> holders_;
  std::set<Key> ending_;
  std::map<Key, Line> lines_;
  JobRows next_;
  std::map<Queue, std::int64_t> waiting_;
  std::set<Queue> locked_;
};

}  // namespace aiserve::inline v0::pg
