#pragma once

#include <string>

#include "aiserve/cache/cache_options.hpp"
#include "aiserve/cache/memo_options.hpp"

namespace aiserve::inline v0::detail {

inline constexpr std::size_t kMostVersion = 128;

/// Throws ConfigError, naming the option.
void check_memo_options(const std::string& name, const CacheOptions& cache,
                        const MemoOptions& options);

}  // namespace aiserve::inline v0::detail
