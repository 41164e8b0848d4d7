// FairTenants: who has items in a FairQueue, what each has queued and how far each was served.
// Tenants with nothing queued are remembered for their virtual time, kMaxIdle of them; beyond that
// the one that is idle longest is forgotten: most likely virtual time has overtaken it anyway, else
// it gets back what it was ahead, at most one item's cost per weight and batch.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "decide/indexed_heap.hpp"
#include "decide/queue_item.hpp"

namespace aiserve::inline v0::decide {

/// A tenant within one priority class.
struct FairShare {
  double tag = 0;            // virtual time at which its next item starts
  std::uint64_t period = 0;  // the busy period of the class that `tag` belongs to
  std::size_t items = 0;
  std::size_t rows = 0;
  LaneFlow* flows = nullptr;  // one per lane in which it has items, linked
};

struct FairTenant {
  const std::string* name = nullptr;
  double weight = 1;
  double per_weight = 1;  // multiplying is cheaper than dividing
  double queued_cost = 0;
  double load = 0;  // queued_cost per weight
  std::size_t items = 0;
  std::array<FairShare, kPriorities> shares{};

  FairShare& share(Priority priority) noexcept {
    return shares[static_cast<std::size_t>(priority)];
  }

 private:
  friend class FairTenants;
  FairTenant* previous_ = nullptr;  // idle, oldest first
  FairTenant* next_ = nullptr;
  std::uint32_t position_ = 0;  // in the heap of loads
};

class FairTenants {
 public:
  static constexpr std::size_t kMaxIdle = 1024;

  FairTenants() = default;
  FairTenants(const FairTenants&) = delete;
  FairTenants& operator=(const FairTenants&) = delete;

  std::size_t idle() const noexcept { return idle_; }
  const FairTenant* find(std::string_view name) const noexcept;
  FairTenant* find(std::string_view name) noexcept;

  /// Finds or makes it, and makes the next add() one that can't throw. Throws bad_alloc.
  FairTenant& open(std::string_view name, double weight);
  void set_weight(FairTenant& tenant, double weight) noexcept;
  /// One more item of the tenant is queued.
  void add(FairTenant& tenant, double cost);
  /// One less. The tenant may be gone after that.
  void drop(FairTenant& tenant, double cost) noexcept;

  /// Of all tenants that have items.
  double active_weight() const noexcept { return active_weight_; }
  /// The one with the most queued per weight; null if nobody has anything.
  FairTenant* heaviest() const noexcept { return loads_.empty() ? nullptr : &loads_.top(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>()(text);
    }
  };
  using Map = std::unordered_map<std::string, FairTenant, Hash, std::equal_to<>>;

  struct ByLoad {
    static bool before(const FairTenant& a, const FairTenant& b) noexcept {
      return a.load > b.load;
    }
    static std::uint32_t& position(FairTenant& tenant) noexcept { return tenant.position_; }
  };

  FairTenant& make(std::string_view name);
  Map::node_type extract_oldest() noexcept;
  void set_queued(FairTenant& tenant, double cost) noexcept;
  void rest(FairTenant& tenant) noexcept;
  void wake(FairTenant& tenant) noexcept;

  Map tenants_;
  IndexedHeap<FairTenant, ByLoad> loads_;  // those with items
  FairTenant* last_ = nullptr;             // found last: spares one-tenant traffic the hashing
  FairTenant* oldest_ = nullptr;           // the idle ones
  FairTenant* newest_ = nullptr;
  std::size_t idle_ = 0;
  double active_weight_ = 0;
};

}  // namespace aiserve::inline v0::decide
