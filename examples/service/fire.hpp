/// Fire: classifies the held-out images through the Batcher, many at a time, and counts.
///
/// One run at a time; its lanes are coroutines, each of which asks for one image after the other.
/// It waits where the queue is full, and stops when it is cancelled, when an image fails for
/// another reason, or when the runtime drains.
/// *Thread safety:* any thread; on_end() before the runtime starts.
/// *Errors:* start() returns conflict while a run is going on, unavailable while draining.
///
///     Fire fire(runtime, batcher, held_out, recorder);
///     Result<std::uint64_t> id = fire.start(64, 10'000);
///     fire.report()->accuracy();
#pragma once

#include <aiserve/core/runtime.hpp>
#include <aiserve/serving/batcher.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "fashion_data/dataset.hpp"
#include "ride_recorder.hpp"

namespace service {

enum class FireState : std::uint8_t { running, done, cancelled, failed };
std::string_view to_string(FireState state);

struct FireReport {
  std::uint64_t id = 0;
  FireState state = FireState::running;
  std::size_t concurrency = 0;
  std::size_t total = 0;
  std::size_t done = 0;
  std::size_t correct = 0;
  double batches = 0;  ///< the run's share of the batches it rode in
  aiserve::Duration elapsed{};

  double accuracy() const;  ///< 0 to 1, of the images done
  double per_second() const;
  double mean_batch() const;
};

class Fire {
 public:
  static constexpr std::size_t kMaxConcurrency = 1024;

  Fire(aiserve::Runtime& runtime, aiserve::Batcher& batcher, const fashion::Dataset& images,
       RideRecorder& recorder);
  Fire(const Fire&) = delete;
  Fire& operator=(const Fire&) = delete;

  /// Called with the last report of each run, on the thread that ended it.
  void on_end(std::function<void(const FireReport&)> listener) { on_end_ = std::move(listener); }

  /// `concurrency` 1 to kMaxConcurrency, `count` 1 to images.size(). Returns the run's id.
  aiserve::Result<std::uint64_t> start(std::size_t concurrency, std::size_t count);
  /// Ends the run that is going on, if any; what is being computed is not counted.
  void cancel();
  /// Of the latest run.
  std::optional<FireReport> report() const;

 private:
  class Run;
  using RunPtr = std::shared_ptr<Run>;

  aiserve::Async<void> lane(const aiserve::Context& ctx, RunPtr run);
  aiserve::Async<aiserve::Inference> ask(const aiserve::Context& ctx, const aiserve::Tensor& image);
  aiserve::Result<RunPtr> begin(std::size_t concurrency, std::size_t count);
  void end(Run& run);
  void drain();

  aiserve::Runtime& runtime_;
  aiserve::Batcher& batcher_;
  const fashion::Dataset& images_;
  RideRecorder& recorder_;
  std::function<void(const FireReport&)> on_end_;

  mutable std::mutex mutex_;
  RunPtr run_;
  std::uint64_t runs_ = 0;
  bool draining_ = false;

  aiserve::Attachment attachment_;
};

}  // namespace service
