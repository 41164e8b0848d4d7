// Flight: one computation that any number of callers wait for. It owns its input and its Context
// and outlives every one of them, the one that began it included.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "aiserve/cache/digest.hpp"
#include "aiserve/core/async.hpp"
#include "core/operation.hpp"

namespace aiserve::inline v0::detail {

class Flight;

struct FlightKey {
  TenantId tenant;
  Digest digest;
  bool anew = false;  ///< asks no tier: another flight than one that does
  friend bool operator==(const FlightKey&, const FlightKey&) noexcept = default;
};

struct FlightKeyHash {
  std::size_t operator()(const FlightKey& key) const noexcept {
    return std::hash<TenantId>()(key.tenant) ^ std::hash<Digest>()(key.digest);
  }
};

/// What a flight computes.
class FlightWork {
 public:
  virtual ~FlightWork() = default;
  /// May be called again when the deadline it was given has passed, and later callers have more
  /// time.
  virtual Async<Bytes> run(const Context& ctx, const Flight& flight) = 0;
  /// False: what it computes has been invalidated since it began; nobody may join any more.
  virtual bool current() const noexcept = 0;
};

/// One caller. Settled by the flight, or by the caller's own deadline or cancellation.
class FlightMember final : public Operation {
 private:
  friend class Flight;
  FlightMember* previous_ = nullptr;
  FlightMember* next_ = nullptr;
  bool aboard_ = false;
};

using FlightMemberPtr = IntrusivePtr<FlightMember>;

/// Everything but what is const needs the lock of the table's shard.
class Flight final : public RefCounted {
 public:
  /// A pinned flight goes on without members.
  Flight(FlightKey key, std::shared_ptr<FlightWork> work, Context context, bool pinned);

  const FlightKey& key() const noexcept { return key_; }
  FlightWork& work() const noexcept { return *work_; }
  const Context& context() const noexcept { return context_; }
  bool pinned() const noexcept { return pinned_; }

  /// May its result be stored? Any thread.
  bool wanted_in_cache() const noexcept { return store_.load(std::memory_order_relaxed); }
  void want_in_cache() noexcept { store_.store(true, std::memory_order_relaxed); }
  void forbid_storing() noexcept { forbidden_.store(true, std::memory_order_relaxed); }
  bool storing_forbidden() const noexcept { return forbidden_.load(std::memory_order_relaxed); }

  void add(FlightMember& member) noexcept;
  /// False if it had been removed, or taken with all, before.
  bool remove(FlightMember& member) noexcept;
  std::vector<FlightMemberPtr> take_all();
  std::size_t members() const noexcept { return count_; }
  bool deserted() const noexcept { return count_ == 0 && !pinned_; }

  /// Written once, before the members are settled.
  Result<Bytes> outcome;

 private:
  const FlightKey key_;
  const std::shared_ptr<FlightWork> work_;
  const Context context_;
  const bool pinned_;
  std::atomic<bool> store_{false};
  std::atomic<bool> forbidden_{false};
  FlightMember* first_ = nullptr;
  std::size_t count_ = 0;
};

using FlightPtr = IntrusivePtr<Flight>;

}  // namespace aiserve::inline v0::detail
