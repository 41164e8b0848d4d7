// Loading: what a Cache has beside its memory: memoized operations with their flights, and the
// tiers below.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "aiserve/cache/memo.hpp"
#include "aiserve/core/runtime.hpp"
#include "cache/drain_gate.hpp"
#include "cache/entry_labels.hpp"
#include "cache/invalidation_feed.hpp"
#include "cache/memory_tier.hpp"
#include "cache/tier_stack.hpp"

namespace aiserve::inline v0::detail {

/// Kinds of labels, see MemoryTier::label(), and of notes.
inline constexpr char kTagLabel = 't';
inline constexpr char kNamespaceLabel = 'n';  // of all tenants
inline constexpr char kVersionLabel = 'v';    // of all tenants
inline constexpr char kTenantLabel = 'T';

/// The text of a version's label.
inline std::string version_text(std::string_view name, std::string_view version) {
  return std::string(CacheKey(name, {version}).bytes());
}

class Loading {
 public:
  Loading(Runtime& runtime, const CacheOptions& options, MemoryTier& memory)
      : runtime_(runtime), options_(options), memory_(memory), tiers_(runtime, options, gate_) {}

  /// Throws ConfigError.
  std::shared_ptr<MemoCore> memoize(std::string name, MemoOptions options);

  /// At wiring. Throws ConfigError.
  void follow(EventBus& bus, std::string topic);

  /// Here and, if there is a feed, on all nodes.
  void invalidate(const InvalidationNote& note);
  void invalidate_tag(const TenantId& tenant, std::string_view tag);
  void invalidate_namespace(std::string_view prefix);
  void invalidate_version(std::string_view name, std::string_view version);
  void invalidate_tenant(const TenantId& tenant);
  void invalidate_all();
  bool erase(const TenantId& tenant, KeyView key);
  /// Tells others only.
  void tell(InvalidationNote note);

  void start();
  void tick();
  /// The runtime begins to stop.
  void leave();
  /// The runtime's patience is over.
  void cancel();
  /// Nobody else is left: waits a moment for what was begun since the gate closed.
  void finish();
  /// "3 loads of classifier", or empty.
  std::string busy_with() const;

  Runtime& runtime() const noexcept { return runtime_; }
  const CacheOptions& options() const noexcept { return options_; }
  const DigestKey& digest_key() const noexcept;
  MemoryTier& memory() const noexcept { return memory_; }
  TierStack& tiers() noexcept { return tiers_; }
  /// Every flight is inside.
  Gate& gate() noexcept { return gate_.gate(); }

  void add(EntryLabels& labels, char kind, const TenantId& tenant, std::string_view text) const;
  /// What kills results of this name: itself, and every prefix that ends before a '/'.
  EntryLabels namespace_labels(std::string_view name) const;

 private:
  std::vector<std::shared_ptr<MemoCore>> memos() const;
  MemoCore* find_memo(std::string_view name) const;
  void apply(const InvalidationNote& note);
  void kill(char kind, const TenantId& tenant, std::string_view text);

  Runtime& runtime_;
  const CacheOptions& options_;
  MemoryTier& memory_;
  DrainGate gate_;
  TierStack tiers_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<MemoCore>> memos_;
  std::unique_ptr<InvalidationFeed> feed_;  // last: what it hears is done to all above
};

}  // namespace aiserve::inline v0::detail
