/// MemoryKeyValueStore: a KeyValueStore that ends with the process: for tests, and for hosts that
/// can lose it. Bounded in bytes: a write beyond is refused as overloaded, nothing is forgotten.
/// *Thread safety:* any thread. *Errors:* those of the port.
///
///     MemoryKeyValueStore settings({.capacity = 16_MiB});
#pragma once

#include <aiserve/core/clock.hpp>
#include <aiserve/storage/key_value_store.hpp>

#include <cstddef>
#include <memory>

namespace aiserve::inline v0 {

struct MemoryStoreOptions {
  /// Bytes of keys and values, above 0.
  std::size_t capacity = std::size_t{64} << 20;
  /// Largest value in bytes, above 0.
  std::size_t max_value = std::size_t{1} << 20;
  /// For times to live and leases. Default: Clock::steady().
  const Clock* clock = nullptr;
};

class MemoryKeyValueStore final : public KeyValueStore {
 public:
  /// Throws ConfigError when an option is out of its range.
  explicit MemoryKeyValueStore(MemoryStoreOptions options = {});
  ~MemoryKeyValueStore() override;

  Async<std::optional<Versioned>> get(const Context& ctx, const StoreKey& key) override;
  Async<std::int64_t> put(const Context& ctx, const StoreKey& key, const Bytes& value,
                          const PutOptions& options) override;
  Async<Sum> add(const Context& ctx, const StoreKey& key, std::int64_t amount,
                 const AddOptions& options) override;
  Async<bool> erase(const Context& ctx, const StoreKey& key,
                    std::optional<std::int64_t> if_version) override;
  Async<std::vector<StoreKey>> list(const Context& ctx, const TenantId& tenant,
                                    const KeyPage& page) override;
  /// Of keys and values that are held, what has expired and was not touched since included.
  std::size_t bytes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aiserve::inline v0
