// TierStack: the tiers below the memory of a Cache, in the order in which they are asked, and the
// invalidations that what they return is judged by. These are written to every tier, so that a
// later process knows them before it serves anything out of that tier.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "aiserve/cache/cache_options.hpp"
#include "cache/tier_reader.hpp"
#include "cache/tier_record.hpp"
#include "cache/tier_writer.hpp"

namespace aiserve::inline v0::detail {

class TierStack {
 public:
  TierStack(Runtime& runtime, const CacheOptions& options, DrainGate& gate);
  ~TierStack();

  /// At wiring. Throws ConfigError.
  void add(CacheTier& tier, const TierOptions& options);
  bool empty() const noexcept { return tiers_.empty(); }

  /// For a value whose computation begins now.
  TierStamp birth();
  TierLabel label(char kind, const TenantId& tenant, std::string_view text) const;
  void kill(TierLabel label);
  void kill_all();

  /// The first record that may be served; tiers above get a copy. Errors: those of `ctx`.
  Async<std::optional<TierRecord>> read(const Context& ctx, const TierKey& key);
  void write(const TierKey& key, const TierRecord& record);
  void erase(const TierKey& key);
  void erase_tenant(const TenantId& tenant);
  /// Returns when all tiers have what was killed and erased before. Errors: unavailable, those of
  /// `ctx`.
  Async<void> flush(const Context& ctx);

  /// With the runtime: what has been killed and erased until now begins to be written.
  void start();
  /// About once a second.
  void tick();

 private:
  struct Tier;

  TierStamp wall_now() const noexcept;
  std::optional<TierRecord> judge(Tier& tier, const TierKey& key, const Bytes& bytes);
  bool alive(const TierKey& key, const TierRecord& record) const;
  std::optional<TierKey> wanted_kills(const Tier& tier) const;
  void got_kills(Tier& tier, const std::optional<Bytes>& bytes);
  std::optional<TierEntry> take_kills(Tier& tier);
  void ask_for_kills(Tier& tier);
  void mark_all_dirty();

  Runtime& runtime_;
  const DigestKey key_;
  const std::string cache_;
  const bool stable_key_;
  DrainGate& gate_;
  std::vector<std::unique_ptr<Tier>> tiers_;
  mutable std::mutex mutex_;  // what follows, and the flags of the tiers
  decide::InvalidationLog log_;
  unsigned ticks_ = 0;
};

}  // namespace aiserve::inline v0::detail
