#include "decide/job_quota.hpp"

#include <algorithm>
#include <utility>

namespace aiserve::inline v0::decide {
namespace {

std::size_t room_of(const RunLimit& limit, std::size_t running) noexcept {
  const std::size_t free = limit.max_running > running ? limit.max_running - running : 0;
  return std::min(free, limit.may_start);
}

class Division {
 public:
  Division(const QuotaQuestion& question, JobShares& shares)
      : question_(question), shares_(shares), quotas_(question.backlog.size(), 0) {
    measure_rooms();
    wake_tenants();
  }

  std::vector<std::size_t> run() {
    for (std::size_t slot = 0; slot < question_.free_slots && !heap_.empty(); ++slot) {
      std::pop_heap(heap_.begin(), heap_.end(), is_after);
      Turn& turn = heap_.back();
      take(turn);
      if (next_row(turn.tenant) == kNone) {
        heap_.pop_back();
      } else {
        std::push_heap(heap_.begin(), heap_.end(), is_after);
      }
      drop_blocked();
    }
    return std::move(quotas_);
  }

 private:
  static constexpr std::size_t kNone = SIZE_MAX;

  struct Turn {
    std::size_t tenant = 0;
    double tag = 0;
    double running = 0;  // per weight: among equals the one that has less goes first
  };

  static bool is_after(const Turn& a, const Turn& b) noexcept {
    if (a.tag != b.tag) return a.tag > b.tag;
    return a.running != b.running ? a.running > b.running : a.tenant > b.tenant;
  }

  void measure_rooms() {
    std::vector<std::size_t> of_kind(question_.kinds.size(), 0);
    running_.resize(question_.tenants.size(), 0);
    rows_.resize(question_.tenants.size());
    for (std::size_t i = 0; i < question_.backlog.size(); ++i) {
      const BacklogRow& row = question_.backlog[i];
      running_[row.tenant] += row.running;
      of_kind[row.kind] += row.running;
      rows_[row.tenant].push_back(i);
    }
    for (std::size_t i = 0; i < of_kind.size(); ++i) {
      kind_room_.push_back(room_of(question_.kinds[i].limit, of_kind[i]));
    }
    for (std::size_t i = 0; i < running_.size(); ++i) {
      tenant_room_.push_back(room_of(question_.tenants[i].limit, running_[i]));
    }
  }

  void wake_tenants() {
    for (std::size_t i = 0; i < question_.tenants.size(); ++i) {
      const TenantRoom& tenant = question_.tenants[i];
      if (next_row(i) == kNone) continue;
      shares_.wake(tenant.name, tenant.weight);
      const double running = static_cast<double>(running_[i]) / tenant.weight;
      heap_.push_back({.tenant = i, .tag = shares_.tag(tenant.name), .running = running});
    }
    shares_.end_round();
    std::make_heap(heap_.begin(), heap_.end(), is_after);
  }

  bool may_start(std::size_t index) const noexcept {
    const BacklogRow& row = question_.backlog[index];
    return quotas_[index] < std::min(row.ready, room_of(row.limit, row.running)) &&
           kind_room_[row.kind] > 0;
  }

  /// Where the next job of a row stands, if the others before it have been taken.
  double order_of(std::size_t index) const noexcept {
    const BacklogRow& row = question_.backlog[index];
    const double age = static_cast<double>(question_.now) - static_cast<double>(row.turn);
    const double part = static_cast<double>(quotas_[index]) / static_cast<double>(row.ready);
    return static_cast<double>(row.turn) + std::max(age, 0.0) * part;
  }

  std::size_t next_row(std::size_t tenant) const noexcept {
    if (tenant_room_[tenant] == 0) return kNone;
    std::size_t best = kNone;
    for (const std::size_t index : rows_[tenant]) {
      if (!may_start(index)) continue;
      if (best == kNone || order_of(index) < order_of(best)) best = index;
    }
    return best;
  }

  void take(Turn& turn) noexcept {
    const std::size_t index = next_row(turn.tenant);
    const BacklogRow& row = question_.backlog[index];
    ++quotas_[index];
    --kind_room_[row.kind];
    --tenant_room_[turn.tenant];
    const double weight = question_.tenants[turn.tenant].weight;
    turn.tag += shares_.expected_cost(question_.kinds[row.kind].name) / weight;
    turn.running += 1 / weight;
  }

  /// A kind may have reached its limit by what another tenant took.
  void drop_blocked() noexcept {
    while (!heap_.empty() && next_row(heap_.front().tenant) == kNone) {
      std::pop_heap(heap_.begin(), heap_.end(), is_after);
      heap_.pop_back();
    }
  }

  const QuotaQuestion& question_;
  JobShares& shares_;
  std::vector<std::size_t> quotas_;
  std::vector<std::size_t> running_;            // per tenant
  std::vector<std::size_t> tenant_room_;        // what may still start
  std::vector<std::size_t> kind_room_;          // likewise
  std::vector<std::vector<std::size_t>> rows_;  // per tenant, indices of the backlog
  std::vector<Turn> heap_;
};

}  // namespace

std::vector<std::size_t> divide(const QuotaQuestion& question, JobShares& shares) {
  return Division(question, shares).run();
}

}  // namespace aiserve::inline v0::decide
