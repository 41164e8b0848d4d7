// Recorder: where the answers of a load are counted, whatever thread they come on.
#pragma once

#include <mutex>

#include "tuner/target.hpp"

namespace tuner {

/// Nanoseconds on the steady clock.
Nanos steady_now() noexcept;
/// Seconds of CPU that this process has used.
double process_cpu() noexcept;

class Recorder {
 public:
  /// Counts what was due from `begin` on, for `measured`.
  Recorder(Nanos begin, Nanos measured, std::size_t tenants);

  /// `due` is when the request should have been sent: waiting for a late sender counts as latency.
  void record(const Answer& answer, std::uint32_t tenant, Nanos due);
  /// When all answers are there.
  LoadResult take() { return std::move(result_); }

 private:
  Nanos begin_;
  Nanos measured_;
  std::mutex mutex_;
  LoadResult result_;
};

}  // namespace tuner
