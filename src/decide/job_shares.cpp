#include "decide/job_shares.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace aiserve::inline v0::decide {
namespace {

// A mean over about so many jobs: what a kind costs may change with its inputs.
constexpr double kMemory = 32;

}  // namespace

void JobShares::Mean::add(double cost) noexcept {
  count = std::min(count + 1, kMemory);
  value += (cost - value) / count;
}

void JobShares::wake(std::string_view tenant, double weight) {
  auto found = tenants_.find(tenant);
  if (found == tenants_.end()) found = tenants_.try_emplace(std::string(tenant)).first;
  Share& share = found->second;
  share.weight = weight;
  share.woken = true;
  if (share.awake) return;
  share.awake = true;
  ++awake_;
  share.tag = std::max(share.tag, virtual_time_);
}

void JobShares::rest(std::string_view tenant) {
  const auto found = tenants_.find(tenant);
  if (found == tenants_.end() || !found->second.awake) return;
  found->second.awake = false;
  --awake_;
  if (tenants_.size() > awake_ + kMaxIdle) forget_idle();
}

void JobShares::end_round() {
  for (auto& [name, share] : tenants_) {
    if (share.awake && !share.woken) --awake_;
    share.awake = share.woken;
    share.woken = false;
  }
  if (tenants_.size() > awake_ + kMaxIdle) forget_idle();
}

// Whom virtual time has overtaken is as one who was never here; if there are still too many, those
// go that are least ahead.
void JobShares::forget_idle() {
  const auto forget_up_to = [this](double tag) {
    std::erase_if(tenants_, [tag](const auto& entry) {
      return !entry.second.awake && entry.second.tag <= tag;
    });
  };
  forget_up_to(virtual_time_);
  if (tenants_.size() <= awake_ + kMaxIdle) return;
  std::vector<double> tags;
  tags.reserve(tenants_.size());
  for (const auto& [name, share] : tenants_) {
    if (!share.awake) tags.push_back(share.tag);
  }
  const auto middle = tags.begin() + static_cast<std::ptrdiff_t>(tags.size() / 2);
  std::nth_element(tags.begin(), middle, tags.end());
  forget_up_to(*middle);
}

double JobShares::expected_cost(std::string_view kind) const noexcept {
  const auto found = kinds_.find(kind);
  if (found != kinds_.end()) return found->second.value;
  return all_.count > 0 ? all_.value : 1;
}

double JobShares::tag(std::string_view tenant) const noexcept {
  const auto found = tenants_.find(tenant);
  return found == tenants_.end() ? virtual_time_ : found->second.tag;
}

double JobShares::started(std::string_view tenant, std::string_view kind) {
  const auto found = tenants_.find(tenant);
  if (found == tenants_.end()) return 0;
  Share& share = found->second;
  const double cost = expected_cost(kind);
  virtual_time_ = std::max(virtual_time_, share.tag);
  share.tag += cost / share.weight;
  return cost;
}

void JobShares::settled(std::string_view tenant, std::string_view kind, double charged,
                        double measured) {
  if (!std::isfinite(measured) || measured <= 0) return;
  returned(tenant, charged - measured);
  auto found = kinds_.find(kind);
  if (found == kinds_.end()) found = kinds_.try_emplace(std::string(kind)).first;
  found->second.add(measured);
  all_.add(measured);
}

void JobShares::returned(std::string_view tenant, double charged) noexcept {
  const auto found = tenants_.find(tenant);
  if (found == tenants_.end()) return;
  Share& share = found->second;
  share.tag -= charged / share.weight;
  // What was charged too much had carried the virtual time too far, and who wakes next with it.
  if (charged > 0 && share.awake) virtual_time_ = std::min(virtual_time_, share.tag);
}

}  // namespace aiserve::inline v0::decide
