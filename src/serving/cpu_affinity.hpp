// Pins threads to CPUs.
#pragma once

#include "aiserve/core/result.hpp"

namespace aiserve::inline v0::detail {

/// Errors: invalid_argument, if this process may not run there or there is no such CPU.
Result<void> pin_this_thread(int cpu);

}  // namespace aiserve::inline v0::detail
