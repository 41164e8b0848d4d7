/// What happened to the requests of a short interval: how many, in which batches, how fast.
///
/// Fed with the Ride of every answer, emptied by whoever shows it. Takes a few tens of KiB,
/// whatever comes in. A batch counts once, in the interval in which its first answer is recorded.
/// *Thread safety:* any thread.
///
///     recorder.record(inference.ride(), clock.now() - asked);
///     const RideWindow window = recorder.take();
#pragma once

#include <aiserve/core/histogram.hpp>
#include <aiserve/serving/batcher.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <mutex>

namespace service {

struct RideWindow {
  std::uint64_t rides = 0;
  std::uint64_t batches = 0;
  std::map<std::uint32_t, std::uint64_t> sizes{};  ///< batch size -> how many batches
  /// In seconds: from asking to the answer, and its parts.
  aiserve::HistogramSnapshot latency{};
  aiserve::HistogramSnapshot queue{};
  aiserve::HistogramSnapshot compute{};

  /// Mean number of requests in a batch; 0 when there was none.
  double mean_batch() const;
};

class RideRecorder {
 public:
  void record(const aiserve::Ride& ride, aiserve::Duration latency);
  /// What came since the last call.
  RideWindow take();

 private:
  bool first_of_batch(std::uint64_t id);

  /// Answers of one batch arrive close together: to know the latest batches is enough.
  static constexpr std::size_t kRemembered = 1024;

  std::mutex mutex_;
  RideWindow window_;
  std::array<std::uint64_t, kRemembered> seen_{};  // batch id + 1, by id modulo kRemembered
};

}  // namespace service
