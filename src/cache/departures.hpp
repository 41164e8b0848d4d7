// Departures: entries that left while a shard was locked. They are reported and freed when this
// object goes, so declare it before the lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "aiserve/cache/eviction.hpp"
#include "cache/entry.hpp"
#include "cache/tenant_record.hpp"

namespace aiserve::inline v0::detail {

/// Who wants to be told; empty: nobody.
struct EvictionListener {
  std::function<void(const Eviction&)> call;
  std::atomic<std::uint64_t> failures{0};
};

class Departures {
 public:
  using Record = std::shared_ptr<TenantRecord>;

  explicit Departures(EvictionListener& listener) noexcept : listener_(listener) {}
  ~Departures() {
    if (untold_ != nullptr || !told_.empty()) tell_and_drop();
  }
  bool nobody_listens() const noexcept { return !listener_.call; }
  Departures(const Departures&) = delete;
  Departures& operator=(const Departures&) = delete;

  void add(CacheEntry* entry, const Record& owner, EvictionCause cause, const Record& by);

 private:
  struct Gone {
    CacheEntry* entry;
    Record owner;
    Record by;
    EvictionCause cause;
  };

  void tell_and_drop() noexcept;
  void tell(const Gone& gone) noexcept;

  EvictionListener& listener_;
  CacheEntry* untold_ = nullptr;  // linked by next
  std::vector<Gone> told_;
};

}  // namespace aiserve::inline v0::detail
