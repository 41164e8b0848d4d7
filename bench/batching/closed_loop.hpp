// A closed loop inside the process: N coroutines on the I/O thread, each with one operation in
// flight, for a given time.
#pragma once

#include <cstdint>
#include <future>
#include <vector>

#include "aiserve/core/async.hpp"
#include "aiserve/core/runtime.hpp"
#include "harness/process.hpp"

namespace bench {

struct LoopResult {
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  double seconds = 0;
  std::vector<double> latencies;  // seconds, unordered

  double per_second() const noexcept { return static_cast<double>(completed) / seconds; }
  void add(const LoopResult& other) {
    completed += other.completed;
    failed += other.failed;
    seconds += other.seconds;
    latencies.insert(latencies.end(), other.latencies.begin(), other.latencies.end());
  }
};

/// `operation(ctx, index)` is an Async of anything; index counts up. One I/O thread.
template <class F>
LoopResult closed_loop(aiserve::Runtime& runtime, int in_flight, double seconds,
                       const F& operation) {
  LoopResult result;
  std::promise<void> done;
  int left = in_flight;  // this and all that follows: touched on the I/O thread only
  std::uint64_t index = 0;
  const double begun = seconds_now();
  const auto client = [&](const aiserve::Context& ctx) -> aiserve::Async<void> {
    for (double now = seconds_now(); now < begun + seconds;) {
      const auto outcome = co_await operation(ctx, index++);
      const double after = seconds_now();
      result.latencies.push_back(after - now);
      now = after;
      ++(outcome.ok() ? result.completed : result.failed);
    }
    if (--left == 0) done.set_value();
    co_return aiserve::success();
  };
  for (int i = 0; i < in_flight; ++i) spawn(runtime, aiserve::Context::background(), client);
  done.get_future().wait();
  result.seconds = seconds_now() - begun;
  return result;
}

}  // namespace bench
