/// KeyValueStore: the port to small values that change: settings, sessions, cursors, locks.
///
/// Every write gives the key a new version, and no version comes twice for a key, not even after it
/// was erased: who writes `if_version` what it read never overwrites what it has not seen. A value
/// past its time to live is absent. A write that was answered is durable as far as the store is.
/// *Thread safety:* called on I/O threads of one Runtime, from several at once.
/// *Errors:* conflict (the version is another), invalid_argument (key), too_large (value),
/// overloaded (no room, on disk or in the queue), data_loss (add() to what is no number),
/// unavailable, and those of the Context. After deadline_exceeded, cancelled or unavailable a write
/// may have happened or not.
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
#include <limits>
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

struct AddOptions {
  /// An amount above 0 is added only if the number is at most this then. Default: any.
  std::int64_t at_most = std::numeric_limits<std::int64_t>::max();
  /// A key that add() makes is absent after this long, at least 1 ms; one that is there keeps its
  /// time. Default: kept until it is erased.
  std::optional<std::chrono::milliseconds> ttl{};
};

/// The number that a key has after an add().
struct Sum {
  std::int64_t value = 0;
  /// False: nothing was added, because the number would have gone beyond `at_most`, or 64 bits.
  bool added = false;
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
  /// Adds to the number, in decimal digits, that the key has; 0 if it is absent. One step: no other
  /// write comes in between, so nobody has to try again. What adds gives the key a new version;
  /// 0 only asks, and writes nothing.
  virtual Async<Sum> add(const Context& ctx, const StoreKey& key, std::int64_t amount,
                         const AddOptions& options) = 0;
  /// True if it was there. With `if_version`: conflict if it has another one, or none.
  virtual Async<bool> erase(const Context& ctx, const StoreKey& key,
                            std::optional<std::int64_t> if_version) = 0;
  /// The tenant's keys, ascending.
  virtual Async<std::vector<StoreKey>> list(const Context& ctx, const TenantId& tenant,
                                            const KeyPage& page) = 0;
};

}  // namespace aiserve::inline v0
