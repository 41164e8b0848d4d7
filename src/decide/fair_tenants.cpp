#include "decide/fair_tenants.hpp"

#include <utility>

namespace aiserve::inline v0::decide {

const FairTenant* FairTenants::find(std::string_view name) const noexcept {
  if (last_ != nullptr && *last_->name == name) return last_;
  const auto found = tenants_.find(name);
  return found == tenants_.end() ? nullptr : &found->second;
}

FairTenant* FairTenants::find(std::string_view name) noexcept {
  return const_cast<FairTenant*>(std::as_const(*this).find(name));
}

FairTenant& FairTenants::open(std::string_view name, double weight) {
  loads_.reserve_one();
  FairTenant* tenant = find(name);
  if (tenant == nullptr) tenant = &make(name);
  last_ = tenant;
  set_weight(*tenant, weight);
  return *tenant;
}

FairTenant& FairTenants::make(std::string_view name) {
  Map::iterator made;
  if (idle_ >= kMaxIdle) {  // take over a node, so that tenants that come and go allocate nothing
    auto node = extract_oldest();
    node.key() = name;
    node.mapped() = FairTenant();
    made = tenants_.insert(std::move(node)).position;
  } else {
    made = tenants_.try_emplace(std::string(name)).first;
  }
  made->second.name = &made->first;
  rest(made->second);
  return made->second;
}

FairTenants::Map::node_type FairTenants::extract_oldest() noexcept {
  FairTenant& tenant = *oldest_;
  wake(tenant);
  if (last_ == &tenant) last_ = nullptr;
  return tenants_.extract(tenants_.find(*tenant.name));
}

void FairTenants::set_weight(FairTenant& tenant, double weight) noexcept {
  if (tenant.weight == weight) return;
  if (tenant.items != 0) active_weight_ += weight - tenant.weight;
  tenant.weight = weight;
  tenant.per_weight = 1 / weight;
  set_queued(tenant, tenant.queued_cost);
}

void FairTenants::add(FairTenant& tenant, double cost) {
  if (tenant.items++ == 0) {
    active_weight_ += tenant.weight;
    wake(tenant);
    loads_.push(tenant);
  }
  set_queued(tenant, tenant.queued_cost + cost);
}

void FairTenants::drop(FairTenant& tenant, double cost) noexcept {
  if (--tenant.items != 0) return set_queued(tenant, tenant.queued_cost - cost);
  loads_.erase(tenant);
  active_weight_ = loads_.empty() ? 0 : active_weight_ - tenant.weight;
  set_queued(tenant, 0);  // exactly, so that rounding errors don't add up
  rest(tenant);
  if (idle_ > kMaxIdle) extract_oldest();
}

void FairTenants::set_queued(FairTenant& tenant, double cost) noexcept {
  tenant.queued_cost = cost;
  tenant.load = cost * tenant.per_weight;
  if (tenant.position_ != 0) loads_.update(tenant);
}

void FairTenants::rest(FairTenant& tenant) noexcept {
  tenant.previous_ = newest_;
  tenant.next_ = nullptr;
  (newest_ == nullptr ? oldest_ : newest_->next_) = &tenant;
  newest_ = &tenant;
  ++idle_;
}

void FairTenants::wake(FairTenant& tenant) noexcept {
  (tenant.previous_ == nullptr ? oldest_ : tenant.previous_->next_) = tenant.next_;
  (tenant.next_ == nullptr ? newest_ : tenant.next_->previous_) = tenant.previous_;
  --idle_;
}

}  // namespace aiserve::inline v0::decide
