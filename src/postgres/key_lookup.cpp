#include "postgres/key_lookup.hpp"

#include <algorithm>

#include "postgres/store_options.hpp"

namespace aiserve::inline v0::pg {
namespace {

constexpr const char* kLockKeys =
    R"sql(SELECT count(pg_advisory_xact_lock(of.key)) FROM unnest($1::bigint[]) AS of (key))sql";
constexpr const char* kHolders = R"sql(SELECT kept.tenant, kept.kind, kept.key, kept.job
          FROM unnest($1::bytea[], $2::bytea[], $3::bytea[]) AS v (tenant, kind, key)
          JOIN aiserve.job_unique AS kept
            ON kept.tenant = v.tenant AND kept.kind = v.kind AND kept.key = v.key
          WHERE kept.expires_at > aiserve.now_ns() AND NOT kept.job = ANY ($4))sql";
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

void KeyLookup::want(const NewJob& job, bool with_room) {
  const std::string tenant(job.tenant.view());
  if (job.unique) uniques_.insert(unique_key(job));
  if (!job.order_key.empty()) orders_.insert({tenant, job.kind, job.order_key});
  if (with_room && job.max_waiting > 0) rooms_.insert({tenant, job.kind});
}

std::vector<std::int64_t> KeyLookup::locks() const {
  std::vector<std::int64_t> all;
  all.reserve(uniques_.size() + orders_.size());
  for (const auto& [tenant, kind, key] : uniques_) {
    all.push_back(lock_of("job unique", tenant, kind, key));
  }
  for (const auto& [tenant, kind, key] : orders_) {
    all.push_back(lock_of("job order", tenant, kind, key));
  }
  std::sort(all.begin(), all.end());
  return all;
}

void KeyLookup::run(Transaction& transaction, const std::vector<std::int64_t>& leaving,
                    const std::vector<std::int64_t>& free) {
  std::optional<std::size_t> holders;
  std::optional<std::size_t> first;
  std::optional<std::size_t> rooms;
  if (!uniques_.empty() || !orders_.empty()) transaction.add(kLockKeys, locks());
  if (!uniques_.empty()) {
    const Columns keys(uniques_);
    holders = transaction.add(kHolders, keys.tenants, keys.kinds, keys.names, free);
  }
  if (!orders_.empty()) {
    const Columns keys(orders_);
    first = transaction.add(kFirstOfKey, keys.tenants, keys.kinds, keys.names, leaving);
  }
  if (!rooms_.empty()) {
    std::vector<std::string_view> tenants;
    std::vector<std::string_view> kinds;
    for (const auto& [tenant, kind] : rooms_) {
      tenants.emplace_back(tenant);
      kinds.emplace_back(kind);
    }
    rooms = transaction.add(kWaiting, tenants, kinds);
  }
  const std::vector<Rows> answers = transaction.flush();
  for (int i = 0; holders && i < answers[*holders].size(); ++i) {
    const Rows& rows = answers[*holders];
    holders_[{rows.string(i, 0), rows.string(i, 1), rows.string(i, 2)}] = rows.integer(i, 3);
  }
  if (first) {
    for (JobRow& row : read_jobs(answers[*first])) {
      const Key key = order_key(row);
      first_.emplace(key, std::move(row));
    }
  }
  for (int i = 0; rooms && i < answers[*rooms].size(); ++i) {
    const Rows& rows = answers[*rooms];
    waiting_[{rows.string(i, 0), rows.string(i, 1)}] = rows.integer(i, 2);
  }
}

std::optional<std::int64_t> KeyLookup::holder(const Key& unique) const {
  const auto found = holders_.find(unique);
  if (found == holders_.end()) return std::nullopt;
  return found->second;
}

const JobRow* KeyLookup::first_of(const Key& order) const {
  const auto found = first_.find(order);
  return found == first_.end() ? nullptr : &found->second;
}

std::int64_t KeyLookup::waiting(const NewJob& job) const {
  const auto found = waiting_.find({std::string(job.tenant.view()), job.kind});
  return found == waiting_.end() ? 0 : found->second;
}

}  // namespace aiserve::inline v0::pg
