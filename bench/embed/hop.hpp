// The hop: from a coroutine on an I/O thread to a worker thread and back, 64 in flight.
#pragma once

#include <cstdint>

namespace bench {

struct HopCost {
  double cpu_ns = 0;   // whole process, per operation
  double wall_ns = 0;  // per operation
};

enum class HopKind {
  inbox,          // Operation, settled by the worker, delivered through the inbox
  inbox_watched,  // the same under a Context with a deadline that can be cancelled
  post,           // one asio::post to an any_io_executor per completion
  batcher,        // Batcher::infer with a model that computes nothing, 3 KB rows
  batcher_small,  // the same with rows of 64 bytes
};

/// Its own Runtime: one I/O thread, one worker.
HopCost measure_hop(HopKind kind, int in_flight, std::uint64_t operations);

}  // namespace bench
