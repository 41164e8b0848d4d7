/// Cache: what was computed once need not be computed again, and no tenant can hurt another.
///
/// In memory, bounded in bytes. Each tenant has queues of its own (S3-FIFO), a guarantee that
/// others never take away, and a limit; what is left is shared by weight and need (docs/cache.md).
/// The tenant stands beside every key, so that nobody can read what another tenant stored. *Thread
/// safety:* any thread. A hit takes one short lock and copies no bytes. *Errors:* the constructor
/// throws ConfigError; put: too_large, overloaded (no room that may be taken), invalid_argument;
/// set_tenant and resize: invalid_argument.
///
///     Cache cache(runtime, {.capacity = 256_MiB, .ttl = 10min});
///     cache.put(ctx, "greeting", Bytes::literal("hello"));
///     if (auto hit = cache.find(ctx, "greeting")) use(hit->value);
#pragma once

#include <aiserve/cache/cache_key.hpp>
#include <aiserve/cache/cache_options.hpp>
#include <aiserve/cache/cache_stats.hpp>
#include <aiserve/cache/memo.hpp>
#include <aiserve/cache/tier_options.hpp>
#include <aiserve/core/bytes.hpp>
#include <aiserve/core/context.hpp>
#include <aiserve/core/result.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aiserve::inline v0 {

class CacheTier;
class EventBus;
class Runtime;
namespace detail {
struct CacheImpl;
}

struct Hit {
  Bytes value;            ///< shares the entry's memory; aligned to 8 bytes, to 64 above 1 KiB
  bool stale = false;     ///< past its soft TTL: use it, and refresh it
  bool negative = false;  ///< EntryOptions::negative
  Duration age{};         ///< since it was stored
  Duration cost{};        ///< what it saved
};

class Cache {
 public:
  explicit Cache(Runtime& runtime, CacheOptions options = {});
  ~Cache();
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  std::optional<Hit> find(const TenantId& tenant, KeyView key);
  std::optional<Hit> find(const Context& ctx, KeyView key);

  /// Replaces what is there. Values up to 1 KiB are copied, larger ones shared (compacted first).
  Result<void> put(const TenantId& tenant, KeyView key, const Bytes& value,
                   const EntryOptions& options = {});
  Result<void> put(const Context& ctx, KeyView key, const Bytes& value,
                   const EntryOptions& options = {});
  /// True if it was there.
  bool erase(const TenantId& tenant, KeyView key);

  /// An operation whose results are kept under `name`, one per cache; parts of a name are separated
  /// by '/'. Input is what the loader takes, Value what it returns, see Memo. Throws ConfigError.
  template <Cacheable Value, class Loader>
  auto memoize(std::string name, Loader loader, MemoOptions options = {}) {
    using Input = typename detail::LoaderInput<Loader>::type;
    static_assert(Digestible<Input>, "the input needs a digest_into(Digester&, const Input&)");
    detail::MemoHandle handle = memo_handle(std::move(name), std::move(options));
    return Memo<Value, Input>(std::move(handle), std::move(loader));
  }

  /// Below memory, asked on a miss of a memoized operation, in the order of these calls; results
  /// are written to all, behind the callers' backs. At wiring; the tier outlives the cache. Throws
  /// ConfigError, also without CacheOptions::digest_key.
  void add_tier(CacheTier& tier, TierOptions options = {});

  /// Tells the other caches that follow the topic what is erased and invalidated here, and does
  /// here what they tell. When something may have been missed (a message, a node that fell silent)
  /// everything is invalidated here. At wiring; the bus outlives the cache. `topic`: default
  /// "aiserve/cache/" and the cache's name. Throws ConfigError, also without
  /// CacheOptions::digest_key, which all nodes share.
  void follow(EventBus& bus, std::string topic = {});

  /// Each in O(1): what was stored, or began to be computed, until now is dead; its memory is
  /// reclaimed as it is met.
  void invalidate_tag(const TenantId& tenant, std::string_view tag);
  void invalidate_tenant(const TenantId& tenant);
  void invalidate_all();
  /// Results of memoized operations of this name, and of those below it: "vision" is also
  /// "vision/classifier".
  void invalidate_namespace(std::string_view prefix);
  /// Results of one version of a memoized operation.
  void invalidate_version(std::string_view name, std::string_view version);

  /// Returns when every tier has what was erased and invalidated before this call: a crash cannot
  /// undo it any more. Only on an I/O thread. Errors, and then it may be undone: unavailable (a
  /// tier cannot be read, or could not follow), those of `ctx`.
  Async<void> flush(const Context& ctx);

  /// Writes what is alive, tenant by tenant, to a file that restore() reads after a restart: the
  /// number of entries. Blocks: call it on the blocking pool, or when the runtime has stopped. What
  /// is invalidated between the two calls, by others, is not known to restore(). Errors:
  /// unavailable (cannot be written; the old file stays), invalid_argument without
  /// CacheOptions::digest_key.
  Result<std::size_t> save(const std::string& path) const;
  /// Puts the entries of such a file that have not expired: their number. Blocks: call it at
  /// wiring. Errors, with a line in the log, and then nothing was put: not_found, data_loss (cut,
  /// damaged, of another version or another digest_key).
  Result<std::size_t> restore(const std::string& path);

  /// Adds a tenant or changes its share, live. Errors: invalid_argument when the guarantees no
  /// longer fit or a number is out of its range; then nothing has changed.
  Result<void> set_tenant(const TenantId& tenant, TenantShare share);
  /// Invalidates what the tenant has, and forgets its share.
  void remove_tenant(const TenantId& tenant);

  /// Evicts until the new capacity holds. Errors: invalid_argument below the sum of the guarantees.
  Result<void> resize(std::size_t capacity);

  CacheSnapshot snapshot() const;
  TenantUse tenant_use(const TenantId& tenant) const;
  /// Looks at every entry, one shard locked at a time: for people, not for every request.
  std::vector<KeyUse> top_keys(const TenantId& tenant, std::size_t count) const;

  const CacheOptions& options() const noexcept;
  detail::CacheImpl& impl() const noexcept { return *impl_; }

 private:
  detail::MemoHandle memo_handle(std::string name, MemoOptions options);

  std::unique_ptr<detail::CacheImpl> impl_;
};

}  // namespace aiserve::inline v0
