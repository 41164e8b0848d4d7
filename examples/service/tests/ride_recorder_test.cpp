#include "ride_recorder.hpp"

#include <thread>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace std::chrono_literals;
using service::RideRecorder;
using service::RideWindow;

aiserve::Ride ride(std::uint64_t batch, std::uint32_t size) {
  aiserve::Ride ride;
  ride.batch_id = batch;
  ride.size = size;
  ride.queue = 2ms;
  ride.compute = 4ms;
  return ride;
}

}  // namespace

TEST_CASE("a batch counts once, however many of its requests are recorded") {
  RideRecorder recorder;
  for (int i = 0; i < 3; ++i) recorder.record(ride(0, 3), 8ms);
  recorder.record(ride(1, 1), 8ms);
  const RideWindow window = recorder.take();
  CHECK(window.rides == 4);
  CHECK(window.batches == 2);
  CHECK(window.sizes == std::map<std::uint32_t, std::uint64_t>{{1, 1}, {3, 1}});
  CHECK(window.mean_batch() == 2);
}

TEST_CASE("taking a window begins a new one, and a batch over the border is not counted again") {
  RideRecorder recorder;
  recorder.record(ride(7, 2), 8ms);
  CHECK(recorder.take().batches == 1);
  recorder.record(ride(7, 2), 8ms);
  const RideWindow second = recorder.take();
  CHECK(second.rides == 1);
  CHECK(second.batches == 0);
  CHECK(second.mean_batch() == 0);
  CHECK(recorder.take().rides == 0);
}

TEST_CASE("a window tells the latency and its parts in seconds") {
  RideRecorder recorder;
  for (int i = 0; i < 99; ++i) recorder.record(ride(0, 99), 8ms);
  recorder.record(ride(1, 1), 800ms);
  const RideWindow window = recorder.take();
  CHECK(window.latency.quantile(0.5) == doctest::Approx(0.008).epsilon(0.07));
  CHECK(window.latency.quantile(1) == doctest::Approx(0.8).epsilon(0.07));
  CHECK(window.queue.quantile(0.5) == doctest::Approx(0.002).epsilon(0.07));
  CHECK(window.compute.quantile(0.5) == doctest::Approx(0.004).epsilon(0.07));
}

TEST_CASE("threads that record and one that takes lose nothing") {
  constexpr std::uint64_t kBatches = 2'000;
  RideRecorder recorder;
  std::uint64_t rides = 0;
  std::uint64_t batches = 0;
  const auto add = [&] {
    const RideWindow window = recorder.take();
    rides += window.rides;
    batches += window.batches;
  };
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t t = 0; t < 4; ++t) {
      threads.emplace_back([&recorder, t] {
        for (std::uint64_t i = 0; i < kBatches; ++i) recorder.record(ride(4 * i + t, 1), 1ms);
      });
    }
    for (int i = 0; i < 100; ++i) add();
  }
  add();
  CHECK(rides == 4 * kBatches);
  CHECK(batches == 4 * kBatches);
}
