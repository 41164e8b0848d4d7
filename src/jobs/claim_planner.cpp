#include "jobs/claim_planner.hpp"

#include <algorithm>

#include "jobs/mean.hpp"

namespace aiserve::inline v0::detail {
namespace {

constexpr std::size_t kMostOfOneClaim = 10'000;  // ClaimQuota::n

decide::Nanos nanos(TimePoint at) noexcept { return at.time_since_epoch().count(); }

std::size_t limit_or_none(const std::optional<int>& limit) noexcept {
  return limit ? static_cast<std::size_t>(*limit) : decide::kUnlimited;
}

}  // namespace

/// What divide() is asked; the names point into `rows` and the kinds.
struct ClaimPlanner::Question {
  std::vector<decide::TenantRoom> tenants;
  std::vector<decide::KindRoom> kinds;
  std::vector<decide::BacklogRow> rows;
  std::map<std::string_view, std::size_t> tenant_index;
  std::map<std::string_view, std::size_t> kind_index;

  std::size_t index_of(const TenantId& tenant, double weight) {
    const auto [entry, first] = tenant_index.try_emplace(tenant.view(), tenants.size());
    if (first) tenants.push_back({.name = tenant.view(), .weight = weight});
    return entry->second;
  }
};

void ClaimPlanner::update(std::vector<Backlog> rows) {
  rows_ = std::move(rows);
  std::erase_if(rows_, [this](const Backlog& row) { return kinds_.find(row.kind) == nullptr; });
  ready_ = 0;
  index_.clear();
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    ready_ += rows_[i].ready;
    index_.emplace(std::pair(rows_[i].tenant.view(), std::string_view(rows_[i].kind)), i);
  }
  const decide::Nanos now = nanos(clock_.now());
  const auto is_over = [now](const auto& entry) { return entry.second <= now; };
  std::erase_if(spent_until_, is_over);
  std::erase_if(key_spent_until_, is_over);
  rates_.tidy();
  update_gauges();
}

void ClaimPlanner::update_gauges() const {
  const WallTime now = clock_.wall_now();
  for (const JobKind& kind : kinds_.all()) {
    double ready = 0;
    double running = 0;
    Duration oldest{0};
    for (const Backlog& row : rows_) {
      if (row.kind != kind.stored) continue;
      ready += static_cast<double>(row.ready);
      running += static_cast<double>(row.running);
      if (row.ready > 0) oldest = std::max(oldest, Duration(now - row.oldest));
    }
    kind.metrics.ready->set(ready);
    kind.metrics.running->set(running);
    kind.metrics.oldest_seconds->set(std::chrono::duration<double>(oldest).count());
  }
}

bool ClaimPlanner::has_limits() const noexcept {
  return std::any_of(kinds_.all().begin(), kinds_.all().end(), [](const JobKind& kind) {
    return kind.options.max_running || kind.options.max_running_per_tenant;
  });
}

double ClaimPlanner::weight_of(const TenantId& tenant) const {
  if (options_.tenants == nullptr) return 1;
  const Result<Tenant> found = options_.tenants->find(tenant);
  return found ? found->weight() : 1;
}

decide::RunLimit ClaimPlanner::limit_of(const JobKind& kind, bool paused) const {
  return {.max_running = paused ? 0 : limit_or_none(kind.options.max_running)};
}

std::size_t ClaimPlanner::may_start(const JobKind& kind, const TenantId& tenant,
                                    decide::Nanos now) {
  if (kind.rate.per_second > 0 && !rates_.empty()) {
    return rates_.may_start(kind, tenant, next_start_);
  }
  const auto spent = spent_until_.find({&kind, tenant});
  if (spent == spent_until_.end()) return decide::may_start(kind.rate, 0, now);
  const std::size_t now_free = decide::may_start(kind.rate, spent->second, now);
  if (now_free == 0) {
    const decide::Nanos next = decide::next_start(kind.rate, spent->second);
    next_start_ = next_start_.earlier(Deadline(TimePoint(Duration(next))));
  }
  return now_free;
}

std::vector<ClaimQuota> ClaimPlanner::plan(std::size_t free_slots) {
  next_start_ = Deadline::never();
  if (free_slots == 0 || rows_.empty()) return {};
  const decide::Nanos now = nanos(clock_.now());
  Question question;
  {
    const std::scoped_lock lock(mutex_);
    for (const JobKind& kind : kinds_.all()) {
      const bool paused = all_paused_ || paused_.contains(kind.name);
      question.kind_index.emplace(kind.stored, question.kinds.size());
      question.kinds.push_back({.name = kind.stored, .limit = limit_of(kind, paused)});
    }
  }
  question.rows.reserve(rows_.size());
  for (const Backlog& row : rows_) {
    const JobKind& kind = *kinds_.find(row.kind);
    const bool may = row.ready > 0 && !row.paused;
    const decide::RunLimit limit{.max_running = limit_or_none(kind.options.max_running_per_tenant),
                                 .may_start = may ? may_start(kind, row.tenant, now) : 0};
    question.rows.push_back(
        {.tenant = question.index_of(row.tenant, weight_of(row.tenant)),
         .kind = question.kind_index.at(kind.stored),
         .ready = static_cast<std::size_t>(std::max<std::int64_t>(row.ready, 0)),
         .running = static_cast<std::size_t>(std::max<std::int64_t>(row.running, 0)),
         .turn = row.turn.time_since_epoch().count(),
         .limit = limit});
  }
  const decide::Nanos wall = clock_.wall_now().time_since_epoch().count();
  const std::vector<std::size_t> quotas = divide({.tenants = question.tenants,
                                                  .kinds = question.kinds,
                                                  .backlog = question.rows,
                                                  .free_slots = free_slots,
                                                  .now = wall},
                                                 shares_);
  std::vector<ClaimQuota> claims;
  for (std::size_t i = 0; i < quotas.size(); ++i) {
    const std::size_t n = std::min(claimable(rows_[i], quotas[i]), kMostOfOneClaim);
    if (n > 0) claims.push_back({rows_[i].tenant, rows_[i].kind, static_cast<int>(n)});
  }
  return claims;
}

std::size_t ClaimPlanner::claimable(const Backlog& row, std::size_t planned) {
  if (planned == 0 || rates_.empty()) return planned;
  const JobKind& kind = *kinds_.find(row.kind);
  return kind.rate.per_second > 0 ? rates_.use(kind, row.tenant, planned) : planned;
}

Backlog* ClaimPlanner::row_of(const JobRun& run) noexcept {
  const auto found = index_.find({run.claimed.tenant.view(), std::string_view(run.claimed.kind)});
  return found == index_.end() ? nullptr : &rows_[found->second];
}

Duration ClaimPlanner::too_early(const JobRun& run) {
  const decide::StartRate& rate = run.kind.order_rate;
  // What all processes share is asked for by the runner.
  if (rate.per_second <= 0 || run.claimed.order_key.empty() || !rates_.empty()) return Duration(0);
  const decide::Nanos now = nanos(clock_.now());
  decide::Nanos& spent = key_spent_until_[{&run.kind, run.claimed.tenant, run.claimed.order_key}];
  if (decide::may_start(rate, spent, now) == 0) {
    return Duration(std::max<decide::Nanos>(decide::next_start(rate, spent) - now, 1));
  }
  spent = decide::spend(rate, spent, 1, now);
  return Duration(0);
}

void ClaimPlanner::claimed(JobRun& run) {
  run.charged = shares_.started(run.claimed.tenant.view(), run.kind.stored);
  if (Backlog* row = row_of(run)) {
    --row->ready;
    ++row->running;
  }
  if (run.kind.rate.per_second <= 0) return;
  if (!rates_.empty()) return rates_.started(run.kind, run.claimed.tenant);
  decide::Nanos& spent = spent_until_[{&run.kind, run.claimed.tenant}];
  spent = decide::spend(run.kind.rate, spent, 1, nanos(clock_.now()));
}

void ClaimPlanner::claim_ended(bool answered) { rates_.claim_ended(answered); }

double ClaimPlanner::mean_run_seconds(std::string_view kind) const noexcept {
  const auto found = run_seconds_.find(kinds_.find(kind));
  return found == run_seconds_.end() ? all_run_seconds_ : found->second;
}

void ClaimPlanner::settled(const JobRun& run, double cost, double seconds) {
  add_to_mean(run_seconds_[&run.kind], seconds);
  add_to_mean(all_run_seconds_, seconds);
  shares_.settled(run.claimed.tenant.view(), run.kind.stored, run.charged, cost);
  if (Backlog* row = row_of(run)) --row->running;
}

void ClaimPlanner::returned(const JobRun& run) {
  shares_.returned(run.claimed.tenant.view(), run.charged);
  if (Backlog* row = row_of(run)) --row->running;
}

void ClaimPlanner::pause(std::string_view kind) {
  const std::scoped_lock lock(mutex_);
  paused_.emplace(kind);
}
void ClaimPlanner::pause_all() {
  const std::scoped_lock lock(mutex_);
  all_paused_ = true;
}
void ClaimPlanner::resume(std::string_view kind) {
  const std::scoped_lock lock(mutex_);
  if (const auto found = paused_.find(kind); found != paused_.end()) paused_.erase(found);
}
void ClaimPlanner::resume_all() {
  const std::scoped_lock lock(mutex_);
  all_paused_ = false;
  paused_.clear();
}

}  // namespace aiserve::inline v0::detail
