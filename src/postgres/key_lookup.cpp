#include "postgres/key_lookup.hpp"

#include <algorithm>
#include <utility>

#include "postgres/store_options.hpp"

namespace aiserve::inline v0::pg {
namespace {

constexpr const char* kLockKeys =
    R"sql(SELECT count(pg_advisory_xact_lock(of.key)) FROM unnest($1::bigint[]) AS of (key))sql";
constexpr const char* kTryKeys =
    R"sql(SELECT of.key, pg_try_advisory_xact_lock(of.key) FROM unnest($1::bigint[]) AS of (key))sql";
constexpr const char* kHolders = R"sql(SELECT kept.tenant, kept.kind, kept.key, kept.job
          FROM unnest($1::bytea[], $2::bytea[], $3::bytea[]) AS v (tenant, kind, key)
          JOIN aiserve.job_unique AS kept
            ON kept.tenant = v.tenant AND kept.kind = v.kind AND kept.key = v.key
          WHERE kept.expires_at > aiserve.now_ns() AND NOT kept.job = ANY ($4))sql";
// So many transactions at once may wait as long as this, each with a connection that others want.
constexpr const char* kBePatient = R"sql(SET LOCAL lock_timeout = '1s')sql";
constexpr const char* kBeQuick = R"sql(SET LOCAL lock_timeout = '250ms')sql";
constexpr const char* kBePatientAsBefore = R"sql(SET LOCAL lock_timeout TO DEFAULT)sql";
// The locks in the order in which they are given; whether each is shared, whether it was got. If
// $6 is 1 none is waited for.
constexpr const char* kEnterRooms =
    R"sql(WITH room AS MATERIALIZED (
            SELECT v.key, v.jobs <= v.most / (2 * current_setting('max_connections')::bigint)
                AND v.most / 2 >= coalesce((
                  SELECT sum(kept.waiting + kept.ready) FROM aiserve.job_count AS kept
                  WHERE kept.kind = v.kind AND kept.tenant = v.tenant), 0) AS shared
            FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[])
              AS v (tenant, kind, jobs, most, key))
          SELECT shared, CASE
            WHEN $6 = 1 AND shared THEN pg_try_advisory_xact_lock_shared(key)
            WHEN $6 = 1 THEN pg_try_advisory_xact_lock(key)
            WHEN shared THEN pg_advisory_xact_lock_shared(key) IS NOT NULL
            ELSE pg_advisory_xact_lock(key) IS NOT NULL END
          FROM room)sql";
constexpr const char* kWaiting =
    R"sql(SELECT kept.tenant, kept.kind, sum(kept.waiting + kept.ready)::bigint
          FROM unnest($1::bytea[], $2::bytea[]) AS v (tenant, kind)
          JOIN aiserve.job_count AS kept ON kept.kind = v.kind AND kept.tenant = v.tenant
          GROUP BY kept.tenant, kept.kind)sql";

/// The columns of a set of keys.
struct Columns {
  explicit Columns(const std::set<KeyLookup::Key>& keys) {
    tenants.reserve(keys.size());
    kinds.reserve(keys.size());
    names.reserve(keys.size());
    for (const auto& [tenant, kind, key] : keys) {
      tenants.emplace_back(tenant);
      kinds.emplace_back(kind);
      names.emplace_back(key);
    }
  }
  std::vector<std::string_view> tenants;
  std::vector<std::string_view> kinds;
  std::vector<std::string_view> names;
};

}  // namespace

KeyLookup::Key KeyLookup::unique_key(const NewJob& job) {
  return {std::string(job.tenant.view()), job.kind, job.unique->key()};
}

KeyLookup::Key KeyLookup::order_key(const JobRow& row) {
  return {std::string(row.tenant.view()), row.kind, *row.order_key};
}

std::int64_t KeyLookup::lock_of_order(const Key& order) {
  const auto& [tenant, kind, key] = order;
  return lock_of("job order", tenant, kind, key);
}

void KeyLookup::wait_briefly(Transaction& transaction) { transaction.add(kBePatient); }

std::set<std::int64_t> KeyLookup::try_locks(Transaction& transaction,
                                            const std::vector<std::int64_t>& numbers) {
  std::set<std::int64_t> taken;
  if (numbers.empty()) return taken;
  const Rows rows = transaction.query(kTryKeys, numbers);
  for (int i = 0; i < rows.size(); ++i) {
    if (rows.integer(i, 1) == 0) taken.insert(rows.integer(i, 0));
  }
  return taken;
}

void KeyLookup::want_next(const JobRow& row) {
  want_order(row);
  ending_.insert(order_key(row));
}

void KeyLookup::want(const NewJob& job, bool with_room) {
  const std::string tenant(job.tenant.view());
  if (job.unique) uniques_.insert(unique_key(job));
  if (!job.order_key.empty()) orders_.insert({tenant, job.kind, job.order_key});
  if (!with_room || job.max_waiting == 0) return;
  Room& room = rooms_[{tenant, job.kind}];
  ++room.jobs;
  room.most = std::min(room.most, job.max_waiting);
}

std::vector<std::int64_t> KeyLookup::locks() const {
  std::vector<std::int64_t> all;
  all.reserve(uniques_.size() + orders_.size());
  for (const auto& [tenant, kind, key] : uniques_) {
    all.push_back(lock_of("job unique", tenant, kind, key));
  }
  for (const Key& key : orders_) all.push_back(lock_of_order(key));
  std::sort(all.begin(), all.end());
  return all;
}

void KeyLookup::run(Transaction& transaction, const std::vector<std::int64_t>& leaving,
                    const std::vector<std::int64_t>& free) {
  std::optional<std::size_t> holders;
  std::optional<std::size_t> lines;
  std::optional<std::size_t> next;
  std::optional<std::pair<std::size_t, std::size_t>> rooms;
  const bool in_time = patience_ == Patience::brief || patience_ == Patience::quick;
  if (in_time) transaction.add(patience_ == Patience::quick ? kBeQuick : kBePatient);
  if (!uniques_.empty() || !orders_.empty()) transaction.add(kLockKeys, locks());
  if (!uniques_.empty()) {
    const Columns keys(uniques_);
    holders = transaction.add(kHolders, keys.tenants, keys.kinds, keys.names, free);
  }
  if (!orders_.empty()) {
    const Columns keys(orders_);
    lines = transaction.add(kLines, keys.tenants, keys.kinds, keys.names, leaving);
  }
  if (!ending_.empty()) {
    const Columns keys(ending_);
    next = transaction.add(kNextInLine, keys.tenants, keys.kinds, keys.names, leaving);
  }
  if (!rooms_.empty()) rooms = ask_rooms(transaction);
  if (in_time) transaction.add(kBePatientAsBefore);
  const std::vector<Rows> answers = transaction.flush();
  for (int i = 0; holders && i < answers[*holders].size(); ++i) {
    const Rows& rows = answers[*holders];
    holders_[{rows.string(i, 0), rows.string(i, 1), rows.string(i, 2)}] = rows.integer(i, 3);
  }
  if (lines) take_lines(answers[*lines]);
  if (next) next_ = read_jobs(answers[*next]);
  if (rooms) take_rooms(answers[rooms->first], answers[rooms->second]);
}

// All lock in the order of the map.
std::pair<std::size_t, std::size_t> KeyLookup::ask_rooms(Transaction& transaction) const {
  std::vector<std::string_view> tenants;
  std::vector<std::string_view> kinds;
  std::vector<std::int64_t> jobs;
  std::vector<std::int64_t> most;
  std::vector<std::int64_t> keys;
  for (const auto& [queue, room] : rooms_) {
    tenants.emplace_back(queue.first);
    kinds.emplace_back(queue.second);
    jobs.push_back(room.jobs);
    most.push_back(room.most);
    keys.push_back(lock_of("job room", queue.first, queue.second));
  }
  const std::size_t locked = transaction.add(kEnterRooms, tenants, kinds, jobs, most, keys,
                                             patience_ == Patience::none ? 1 : 0);
  return {locked, transaction.add(kWaiting, tenants, kinds)};
}

void KeyLookup::take_rooms(const Rows& locked, const Rows& waiting) {
  for (int i = 0; i < waiting.size(); ++i) {
    waiting_[{waiting.string(i, 0), waiting.string(i, 1)}] = waiting.integer(i, 2);
  }
  int row = -1;
  for (const auto& [queue, room] : rooms_) {
    const bool shared = locked.integer(++row, 0) != 0;
    if (locked.integer(row, 1) == 0) {
      locked_.insert(queue);
      continue;
    }
    const auto found = waiting_.find(queue);
    if (!shared || found == waiting_.end() || found->second <= room.most / 2) continue;
    // It was half empty when the lock was chosen: run again, and have it alone.
    throw PgError(PgError::Kind::server, PgError::kSerializationFailure, "a queue filled up");
  }
}

void KeyLookup::take_lines(const Rows& lines) {
  for (int i = 0; i < lines.size(); ++i) {
    Line& line = lines_[{lines.string(i, 0), lines.string(i, 1), lines.string(i, 2)}];
    line.now.in_turn = lines.integer(i, 3);
    line.now.waits = !lines.null(i, 4);
    if (line.now.waits) line.room = decide::room(line.now, static_cast<int>(lines.integer(i, 4)));
  }
}

std::optional<std::int64_t> KeyLookup::holder(const Key& unique) const {
  const auto found = holders_.find(unique);
  if (found == holders_.end()) return std::nullopt;
  return found->second;
}

decide::OrderLine KeyLookup::line_of(const Key& order) const {
  const auto found = lines_.find(order);
  return found == lines_.end() ? decide::OrderLine() : found->second.now;
}

JobRows KeyLookup::take_next() {
  JobRows turns;
  std::set<Key> held_up;
  for (JobRow& row : std::exchange(next_, {})) {
    const Key key = order_key(row);
    Line& line = lines_[key];
    if (held_up.contains(key) || !decide::has_turn(line.now, row.blocked)) {
      held_up.insert(key);
      continue;
    }
    ++line.now.in_turn;
    --line.room;
    turns.push_back(std::move(row));
  }
  for (const Key& key : ending_) {
    // All that waited were asked for.
    if (lines_[key].room > 0 && !held_up.contains(key)) lines_[key].now.waits = false;
  }
  return turns;
}

std::int64_t KeyLookup::waiting(const NewJob& job) const {
  const auto found = waiting_.find({std::string(job.tenant.view()), job.kind});
  return found == waiting_.end() ? 0 : found->second;
}

bool KeyLookup::is_locked(const NewJob& job) const {
  return job.max_waiting > 0 && locked_.contains({std::string(job.tenant.view()), job.kind});
}

}  // namespace aiserve::inline v0::pg
