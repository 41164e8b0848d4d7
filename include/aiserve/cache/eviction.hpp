/// Eviction: what a listener is told about an entry that left the cache, and why.
///
///     CacheOptions options{.on_eviction = [](const Eviction& gone) {
///       if (gone.cause == EvictionCause::capacity) spill(gone.tenant, gone.key, gone.value);
///     }};
#pragma once

#include <aiserve/cache/cache_key.hpp>
#include <aiserve/core/bytes.hpp>
#include <aiserve/core/tenant.hpp>

#include <cstdint>
#include <string_view>

namespace aiserve::inline v0 {

enum class EvictionCause : std::uint8_t {
  capacity,     ///< room was needed
  limit,        ///< its tenant was at its hard limit
  expired,      ///< found after its time
  invalidated,  ///< found after its key, tag, tenant or everything was declared dead
  replaced,     ///< put again under the same key
  erased,       ///< by erase()
};

std::string_view to_string(EvictionCause cause) noexcept;

/// Valid during the call; copy what you keep.
struct Eviction {
  const TenantId& tenant;
  KeyView key;
  const Bytes& value;
  EvictionCause cause;
  /// Who needed the room, for `capacity`; else the same tenant.
  const TenantId& by;
};

}  // namespace aiserve::inline v0
