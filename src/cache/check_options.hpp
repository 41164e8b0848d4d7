// The ranges of CacheOptions.
#pragma once

#include "aiserve/cache/cache_options.hpp"

namespace aiserve::inline v0::detail {

/// Throws ConfigError, naming the first option that is out of its range.
void check_options(const CacheOptions& options);

}  // namespace aiserve::inline v0::detail
