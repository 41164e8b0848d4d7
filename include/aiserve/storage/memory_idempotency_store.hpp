/// MemoryIdempotencyStore: an IdempotencyStore for one process. Bounded in bytes: when it is full
/// of answers that have not expired, a new run is refused as overloaded. *Thread safety:* any
/// thread. *Errors:* those of the port.
///
///     MemoryIdempotencyStore runs({.capacity = 16_MiB});
#pragma once

#include <aiserve/storage/idempotency_store.hpp>
#include <aiserve/storage/memory_key_value_store.hpp>

namespace aiserve::inline v0 {

class MemoryIdempotencyStore final : public IdempotencyStore {
 public:
  /// Throws ConfigError when an option is out of its range.
  explicit MemoryIdempotencyStore(MemoryStoreOptions options = {});
  ~MemoryIdempotencyStore() override;

  Async<IdempotentRun> begin(const Context& ctx, const StoreKey& key, const Bytes& fingerprint,
                             std::chrono::milliseconds lease) override;
  Async<bool> finish(const Context& ctx, const StoreKey& key, std::int64_t fence,
                     const Bytes& answer, std::chrono::milliseconds ttl) override;
  Async<bool> abandon(const Context& ctx, const StoreKey& key, std::int64_t fence) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aiserve::inline v0
