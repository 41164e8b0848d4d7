/// What every CacheTier has to do, as cases that any test framework can run. A case ends in an
/// error that says in its message what the tier did wrong. Each wants an empty tier of at least
/// 4 MiB, or at least none of the tenants "conformance-...".
/// *Thread safety:* as the tier.
///
///     for (const testing::CacheTierCase& one : testing::cache_tier_cases()) {
///       const Result<void> held = block_on(runtime, one.run(Context::background(), tier));
///       CHECK_MESSAGE(held.ok(), one.name, ": ", held.ok() ? "" : held.error().message());
///     }
#pragma once

#include <aiserve/cache/cache_tier.hpp>

#include <span>
#include <string_view>

namespace aiserve::inline v0::testing {

struct CacheTierCase {
  std::string_view name;
  Async<void> (*run)(const Context& ctx, CacheTier& tier);
};

std::span<const CacheTierCase> cache_tier_cases() noexcept;

}  // namespace aiserve::inline v0::testing
