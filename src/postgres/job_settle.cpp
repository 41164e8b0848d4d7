// The part of JobTransaction that records outcomes.
#include <algorithm>

#include "postgres/job_transaction.hpp"

namespace aiserve::inline v0::pg {
namespace {

using Key = std::pair<TenantId, std::int64_t>;

/// Nothing has to be known of the job: one statement checks the fence and moves it.
bool is_plainly_done(const Settlement& settlement) {
  return settlement.outcome == JobOutcomeKind::done && settlement.error.empty();
}

/// In as many statements as the results need. `each` gets a part of `all`.
template <class Each>
void in_pieces(std::span<const Settlement* const> all, Each each) {
  std::size_t begin = 0;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    bytes += all[i]->result.size();
    if (bytes < kStatementBytes && i + 1 < all.size()) continue;
    each(all.subspan(begin, i + 1 - begin));
    begin = i + 1;
    bytes = 0;
  }
}

}  // namespace

/// What was found of the jobs that settlements speak of.
struct JobTransaction::Met {
  std::map<Key, decide::Fence> finished;  // plainly done, and moved: by which attempt
  std::map<Key, JobRow> others;           // locked
  std::set<Key> changed;                  // of those
};

std::vector<Settled> JobTransaction::settle(std::span<const Settlement> settlements,
                                            Patience patience) {
  if (patience != Patience::none) return record(settlements);
  const std::vector<bool> waits = held_up(settlements);
  std::vector<Settlement> free;
  free.reserve(settlements.size());
  for (std::size_t i = 0; i < settlements.size(); ++i) {
    if (!waits[i]) free.push_back(settlements[i]);
  }
  const std::vector<Settled> recorded = record(free);
  std::vector<Settled> settled(settlements.size(), Settled::later);
  std::size_t next = 0;
  for (std::size_t i = 0; i < settlements.size(); ++i) {
    if (!waits[i]) settled[i] = recorded[next++];
  }
  return settled;
}

// Locks the rows and the keys that are free, in the order in which all do.
std::vector<bool> JobTransaction::held_up(std::span<const Settlement> settlements) {
  std::vector<std::string_view> tenants;
  std::vector<std::int64_t> ids;
  tenants.reserve(settlements.size());
  ids.reserve(settlements.size());
  for (const Settlement& one : settlements) {
    tenants.push_back(one.tenant.view());
    ids.push_back(one.id.value());
  }
  transaction_.as_dispatcher();
  std::map<Key, JobRow> open;
  for (JobRow& row : read_jobs(transaction_.query(kLockJobs, tenants, ids))) {
    const Key key(row.tenant, row.id);
    open.emplace(key, std::move(row));
  }
  std::vector<std::vector<std::int64_t>> wanted(settlements.size());
  std::vector<std::int64_t> all;
  for (std::size_t i = 0; i < settlements.size(); ++i) {
    const Settlement& one = settlements[i];
    const auto found = open.find(Key(one.tenant, one.id.value()));
    if (found == open.end()) continue;
    JobRow row = found->second;
    const std::int64_t now = transaction_.now();
    if (!advance_row(row, settle_event(row, one, now), now)) continue;
    KeyLookup keys;
    if (row.final() && row.order_key) keys.want_order(row);
    for (const NewJob& next : one.next) keys.want(next, false);
    wanted[i] = keys.locks();
    all.insert(all.end(), wanted[i].begin(), wanted[i].end());
  }
  const std::set<std::int64_t> others = KeyLookup::try_locks(transaction_, all);
  std::vector<bool> waits(settlements.size());
  for (std::size_t i = 0; i < settlements.size(); ++i) {
    waits[i] = std::any_of(wanted[i].begin(), wanted[i].end(),
                           [&](std::int64_t number) { return others.contains(number); });
  }
  return waits;
}

std::vector<Settled> JobTransaction::record(std::span<const Settlement> settlements) {
  Met met = meet(settlements);
  std::vector<Settled> settled;
  settled.reserve(settlements.size());
  KeyLookup known(Patience::quick);
  for (const Settlement& one : settlements) {
    const bool applied = apply(one, met);
    settled.push_back(applied ? Settled::applied : Settled::stale);
    if (!applied) continue;
    for (const NewJob& next : one.next) known.want(next, false);
    for (const JobEvent& event : one.events) events_[one.tenant].push_back(&event);
  }
  for (const Key& key : met.changed) keep(std::move(met.others.at(key)));
  look_up(known);
  NewJobs made(known, transaction_.now());
  for (std::size_t i = 0; i < settlements.size(); ++i) {
    if (settled[i] == Settled::stale) continue;
    for (const NewJob& next : settlements[i].next) made.add(next, counts_);
  }
  commit(&made);
  return settled;
}

JobTransaction::Met JobTransaction::meet(std::span<const Settlement> settlements) {
  std::map<TenantId, std::vector<const Settlement*>> done;
  std::vector<std::string_view> tenants;
  std::vector<std::int64_t> ids;
  for (const Settlement& one : settlements) {
    if (is_plainly_done(one)) {
      done[one.tenant].push_back(&one);
    } else {
      tenants.push_back(one.tenant.view());
      ids.push_back(one.id.value());
    }
  }
  std::vector<std::pair<const TenantId*, std::size_t>> finishes;
  for (const auto& entry : done) {
    const TenantId& tenant = entry.first;
    transaction_.as_tenant(tenant);
    in_pieces(entry.second, [&](std::span<const Settlement* const> piece) {
      finishes.emplace_back(&tenant, add_finish(transaction_, tenant, piece));
    });
  }
  transaction_.as_dispatcher();
  const std::size_t locked = transaction_.add(kLockJobs, tenants, ids);
  const std::vector<Rows> answers = transaction_.flush();
  Met met;
  for (JobRow& row : read_jobs(answers[locked])) {
    const Key key(row.tenant, row.id);
    met.others.emplace(key, std::move(row));
  }
  for (const auto& [tenant, at] : finishes) {
    for (int i = 0; i < answers[at].size(); ++i) {
      JobRow row = read_finished(*tenant, answers[at], i);
      counts_.finish(row);
      met.finished.try_emplace(Key(*tenant, row.id), row.core.fence);
      done_[*tenant].push_back(std::move(row));
    }
  }
  return met;
}

bool JobTransaction::apply(const Settlement& settlement, Met& met) {
  const Key key(settlement.tenant, settlement.id.value());
  if (is_plainly_done(settlement)) {
    const auto moved = met.finished.find(key);
    if (moved == met.finished.end() || moved->second != fence_of(settlement)) return false;
    met.finished.erase(moved);
    return true;
  }
  const auto found = met.others.find(key);
  if (found == met.others.end()) return false;
  JobRow row = found->second;
  const decide::JobEvent event = settle_event(row, settlement, transaction_.now());
  if (!advance(row, event)) return false;
  if (row.core.state == decide::JobState::completed) row.result = settlement.result;
  met.changed.insert(key);
  found->second = std::move(row);
  return true;
}

}  // namespace aiserve::inline v0::pg
