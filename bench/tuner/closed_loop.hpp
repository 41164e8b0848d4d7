// The closed loop: N clients that each send their next request when the last one was answered. Good
// for the highest throughput; its latencies only say how long N clients queue behind each other.
#pragma once

#include "tuner/target.hpp"

namespace tuner {

LoadResult closed_loop(Target& target, int in_flight, Nanos warm_up, Nanos measured);

}  // namespace tuner
