// The open loop: requests are sent at their times whatever the answers do, as users do. Latency
// counts from the scheduled time, so a sender or a subject that stalls is charged for everybody who
// would have come meanwhile.
#pragma once

#include <span>

#include "tuner/target.hpp"

namespace tuner {

struct OpenLoopOptions {
  Nanos warm_up = 0;   // sent, but not counted
  Nanos measured = 0;  // then this long
  Nanos deadline = 0;  // of each request; 0: none
  std::size_t tenants = 1;
};

/// `arrivals` cover warm-up and measurement. Sends on the calling thread. The result's proof says
/// whether the offered rate was reached; whoever prints the result looks at it first.
LoadResult open_loop(Target& target, std::span<const Arrival> arrivals,
                     const OpenLoopOptions& options);

}  // namespace tuner
