// MemoCore: a memoized operation without its types: looks up, lets fly, stores.
#pragma once

#include <atomic>
#include <deque>

#include "aiserve/core/telemetry.hpp"
#include "cache/flight_table.hpp"
#include "cache/loading.hpp"
#include "cache/refresh_pauses.hpp"
#include "decide/byte_allowance.hpp"

namespace aiserve::inline v0::detail {

struct MemoVersion {
  std::string text;
  EntryLabels labels;  // of the namespaces, too
  Digester digester;   // has the name and the version
};

/// A key of the memory tier, without the heap.
class MemoryKey {
 public:
  static constexpr std::size_t kMostName = 128;
  /// `name` as CacheKey has it.
  MemoryKey(std::string_view name, const Digest& digest) noexcept;
  operator KeyView() const noexcept { return {{bytes_.data(), size_}, true}; }

 private:
  std::array<char, kMostName + 2 + 1 + Digest::kSize> bytes_;
  std::size_t size_;
};

class MemoFlight;

class MemoCore {
 public:
  /// Throws ConfigError.
  MemoCore(Loading& loading, std::string name, MemoOptions options);

  const std::string& name() const noexcept { return name_; }
  FlightTable& flights() noexcept { return flights_; }
  const FlightTable& flights() const noexcept { return flights_; }

  const MemoVersion& version() const noexcept { return *version_.load(std::memory_order_acquire); }
  void set_version(std::string text);
  void invalidate() { loading_.invalidate_namespace(name_); }
  bool erase(const TenantId& tenant, const Digest& digest);
  /// Not on other nodes.
  bool erase_here(const TenantId& tenant, const Digest& digest);

  MemoLookup look_up(const Context& ctx, const MemoKey& key, const CacheControl& control);
  Async<Bytes> load(const Context& ctx, const MemoLookup& lookup,
                    const MemoHandle::MakeSource& source);
  void refresh(const Context& ctx, const MemoLookup& lookup, const MemoHandle::MakeSource& source);

 private:
  friend class MemoFlight;

  MemoryKey memory_key(const Digest& digest) const noexcept { return {prefix_, digest}; }
  Metrics& metrics() const noexcept;
  Labels labels() const;
  Counter& counter(const char* result) const;
  TimePoint now() const noexcept { return loading_.runtime().clock().now(); }
  void store(const MemoFlight& flight, const Bytes& value, Duration cost);
  void keep(const MemoFlight& flight, const TierRecord& found);
  bool asks_no_tier(const CacheControl& control) const noexcept {
    return control.no_cache || control.max_age.has_value();
  }
  FlightKey flight_key(const TenantId& tenant, const Digest& digest, bool anew) const {
    return {tenant, digest, anew && !loading_.tiers().empty()};
  }
  TierKey tier_key(const TenantId& tenant, const Digest& digest) const;
  void remember(const MemoFlight& flight, const Error& error);
  void refresh_failed(const MemoFlight& flight, const Error& error);

  Loading& loading_;
  const std::string name_;
  const std::string prefix_;
  const MemoOptions options_;
  const EntryLabels namespaces_;
  FlightTable flights_;
  RefreshPauses pauses_;
  std::mutex mutex_;
  std::deque<MemoVersion> versions_;  // every one there was: flights refer to them
  std::atomic<const MemoVersion*> version_{nullptr};
  decide::ByteAllowance negative_bytes_;
  Counter& loads_ok_;
  Counter& loads_failed_;
  Counter& stood_in_;
  Histogram& load_seconds_;
};

}  // namespace aiserve::inline v0::detail
