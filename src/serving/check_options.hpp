// Whether options and knobs are in their ranges.
#pragma once

#include "aiserve/serving/batcher_options.hpp"

namespace aiserve::inline v0::detail {

/// `name` and `instances` are filled in. Throws ConfigError, naming batcher and option.
void check_options(const BatcherOptions& options);
/// Errors: invalid_argument, naming the knob.
Result<void> check_knobs(const BatcherKnobs& knobs, const BatcherOptions& options);

}  // namespace aiserve::inline v0::detail
