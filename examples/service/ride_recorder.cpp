#include "ride_recorder.hpp"

#include <utility>

namespace service {
namespace {

double seconds(aiserve::Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

double RideWindow::mean_batch() const {
  std::uint64_t rows = 0;
  for (const auto& [size, count] : sizes) rows += size * count;
  return batches == 0 ? 0 : static_cast<double>(rows) / static_cast<double>(batches);
}

void RideRecorder::record(const aiserve::Ride& ride, aiserve::Duration latency) {
  const std::scoped_lock lock(mutex_);
  ++window_.rides;
  window_.latency.observe(seconds(latency));
  window_.queue.observe(seconds(ride.queue));
  window_.compute.observe(seconds(ride.compute));
  if (!first_of_batch(ride.batch_id)) return;
  ++window_.batches;
  ++window_.sizes[ride.size];
}

RideWindow RideRecorder::take() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(window_, {});
}

bool RideRecorder::first_of_batch(std::uint64_t id) {
  return std::exchange(seen_[id % kRemembered], id + 1) != id + 1;
}

}  // namespace service
