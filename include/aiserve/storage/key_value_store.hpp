/// KeyValueStore: the port to small values that change: settings, sessions, cursors, locks.
///
/// Every write gives the key a new version, and no version comes twice for a key, not even after it
/// was erased: who writes `if_version` what it read never overwrites what it has not seen. A value
/// past its time to live is absent. A write that was answered is durable as far as the store is.
/// *Thread safety:* called on I/O threads of one Runtime, from several at once.
/// *Errors:* conflict (the version is another), invalid_argument (key), too_large (value),
/// overloaded (no room, on disk or in the queue), unavailable, and those of the Context. After
/// deadline_exceeded, cancelled or unavailable a write may have happened or not.
///
///     const Result<std::optional<Versioned>> old = co_await store.get(ctx, key);
///     const PutOptions same{.if_version = (*old)->version(), .ttl = 1h};
///     Result<std::int64_t> version = co_await store.put(ctx, key, value, same);
#pragma once

#include <aiserve/core/async.hpp>
#include <aiserve/core/bytes.hpp>
#include <aiserve/storage/store_key.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace aiserve::inline v0 {

class Versioned {
 public:
  Versioned(Bytes value, std::int64_t version) noexcept
      : value_(std::move(value)), version_(version) {}

  const Bytes& value() const noexcept { return value_; }
  /// Above 0; ascends with every write of the key.
  std::int64_t version() const noexcept { return version_; }

 private:
  Bytes value_;
  std::int64_t version_;
};

struct PutOptions {
  /// `if_version`: only if the key is absent.
  static constexpr std::int64_t kAbsent = 0;

  /// Write only if the key has this version now. Default: whatever is there.
  std::optional<std::int64_t> if_version{};
  /// Absent after this long, at least 1 ms. Default: kept until it is erased.
  std::optional<std::chrono::milliseconds> ttl{};
};

struct KeyPage {
  /// Only keys that begin with it. The view lives until the operation completes, as all arguments.
  std::string_view prefix{};
  /// Only keys after this one, in the order of their bytes: the last of the page before.
  std::string_view after{};
  /// 1 to 1000.
  int limit = 100;
};

class KeyValueStore {
 public:
  virtual ~KeyValueStore() = default;

  /// Nothing where there is none.
  virtual Async<std::optional<Versioned>> get(const Context& ctx, const StoreKey& key) = 0;
  /// The new version.
  virtual Async<std::int64_t> put(const Context& ctx, const StoreKey& key, const Bytes& value,
                                  const PutOptions& options) = 0;
  /// True if it was there. With `if_version`: conflict if it has another one, or none.
  virtual Async<bool> erase(const Context& ctx, const StoreKey& key,
                            std::optional<std::int64_t> if_version) = 0;
  /// The tenant's keys, ascending.
  virtual Async<std::vector<StoreKey>> list(const Context& ctx, const TenantId& tenant,
                                            const KeyPage& page) = 0;
};

}  // namespace aiserve::inline v0
