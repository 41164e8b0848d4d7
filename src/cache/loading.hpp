// Loading: what a Cache has beside its memory: memoized operations and their flights.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "aiserve/cache/memo.hpp"
#include "aiserve/core/runtime.hpp"
#include "cache/memory_tier.hpp"

namespace aiserve::inline v0::detail {

/// Kinds of labels; see MemoryTier::label().
inline constexpr char kNamespaceLabel = 'n';  // of all tenants
inline constexpr char kVersionLabel = 'v';    // of all tenants
inline constexpr char kTenantLabel = 'T';

class Loading {
 public:
  Loading(Runtime& runtime, const CacheOptions& options, MemoryTier& memory) noexcept
      : runtime_(runtime), options_(options), memory_(memory) {}

  /// Throws ConfigError.
  std::shared_ptr<MemoCore> memoize(std::string name, MemoOptions options);

  void invalidate_namespace(std::string_view prefix);
  void invalidate_version(std::string_view name, std::string_view version);
  void invalidate_tenant(const TenantId& tenant);
  void invalidate_all();

  /// The runtime's patience is over.
  void cancel();
  /// "3 loads of classifier", or empty.
  std::string busy_with() const;

  Runtime& runtime() const noexcept { return runtime_; }
  const CacheOptions& options() const noexcept { return options_; }
  const DigestKey& digest_key() const noexcept;
  MemoryTier& memory() const noexcept { return memory_; }
  /// Every flight is inside.
  Gate& gate() noexcept { return gate_; }

  /// What kills results of this name: itself, and every prefix that ends before a '/'.
  std::vector<CacheLabel> namespace_labels(std::string_view name) const;
  CacheLabel version_label(std::string_view name, std::string_view version) const;

 private:
  std::vector<std::shared_ptr<MemoCore>> memos() const;

  Runtime& runtime_;
  const CacheOptions& options_;
  MemoryTier& memory_;
  Gate gate_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<MemoCore>> memos_;
};

}  // namespace aiserve::inline v0::detail
