#include "fire.hpp"

#include <aiserve/core/telemetry.hpp>

#include <array>
#include <cmath>
#include <condition_variable>
#include <future>
#include <string>

#include <doctest/doctest.h>

namespace {

using namespace std::chrono_literals;
using aiserve::Batch;
using aiserve::DType;
using aiserve::Errc;
using aiserve::Error;
using aiserve::Result;
using aiserve::Runtime;
using aiserve::TensorSpec;
using service::Fire;
using service::FireReport;
using service::FireState;

/// The class that the test's model sees in an image; every seventh image is labelled otherwise.
std::size_t seen_class(float first_pixel) {
  return static_cast<std::size_t>(std::lround(first_pixel * 255)) % fashion::kClasses;
}

fashion::Dataset make_images(std::size_t count) {
  fashion::Dataset images;
  images.pixels.assign(count * fashion::kPixels, 0);
  for (std::size_t i = 0; i < count; ++i) {
    images.pixels[i * fashion::kPixels] = static_cast<std::uint8_t>(i % 256);
    const std::size_t label = i % 256 + (i % 7 == 0 ? 1 : 0);
    images.labels.push_back(static_cast<std::uint8_t>(label % fashion::kClasses));
  }
  return images;
}

/// What a loop without batches counts.
std::size_t correct_directly(const fashion::Dataset& images, std::size_t count) {
  std::size_t correct = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const float pixel = static_cast<float>(images.image(i)[0]) / 255.0F;
    correct += seen_class(pixel) == images.labels[i] ? 1 : 0;
  }
  return correct;
}

Result<void> classify(Batch& batch) {
  const auto in = batch.input<float>();
  const auto out = batch.output<float>();
  for (std::size_t row = 0; row < batch.size(); ++row) {
    for (std::size_t c = 0; c < fashion::kClasses; ++c) {
      const bool seen = c == seen_class(in[row * fashion::kPixels]);
      out[row * fashion::kClasses + c] = seen ? 0.9F : 0.0F;
    }
  }
  return aiserve::success();
}

/// Holds the model's thread until it is opened.
class Barrier {
 public:
  void open() {
    const std::scoped_lock lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  /// Until the model computes.
  void await_arrival() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ > 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

/// A runtime with a Fire over a callable model.
class Range {
 public:
  explicit Range(aiserve::CallableModel::Function function, std::size_t max_queue = 1024)
      : model_({.name = "test", .signature = signature(), .instances = 2}, std::move(function)),
        batcher_(runtime_, model_, {.max_batch = 16, .max_queue = max_queue}),
        fire_(runtime_, batcher_, images_, recorder_) {
    fire_.on_end([this](const FireReport& report) { ended_.set_value(report); });
    runtime_.start();
  }

  Runtime& runtime() { return runtime_; }
  Fire& fire() { return fire_; }
  const fashion::Dataset& images() const { return images_; }
  service::RideRecorder& recorder() { return recorder_; }
  FireReport await_end() { return ended_.get_future().get(); }

 private:
  static aiserve::Signature signature() {
    return {{TensorSpec("image", DType::f32, {-1, 1, 28, 28})},
            {TensorSpec("probabilities", DType::f32, {-1, 10})}};
  }

  aiserve::Telemetry telemetry_{{.log_level = aiserve::LogLevel::off}};
  Runtime runtime_{{.io_threads = 2, .telemetry = &telemetry_}};
  aiserve::CallableModel model_;
  aiserve::Batcher batcher_;
  fashion::Dataset images_ = make_images(1000);
  service::RideRecorder recorder_;
  std::promise<FireReport> ended_;
  Fire fire_;
};

}  // namespace

TEST_CASE("a run counts what a direct loop counts, whatever its concurrency") {
  for (const std::size_t concurrency : std::array<std::size_t, 4>{1, 7, 64, 1024}) {
    CAPTURE(concurrency);
    Range range(classify);
    REQUIRE(range.fire().start(concurrency, 500).value() == 1);
    const FireReport report = range.await_end();
    const std::size_t correct = correct_directly(range.images(), 500);
    CHECK(correct > 400);
    CHECK(correct < 500);
    CHECK(report.state == FireState::done);
    CHECK(report.done == 500);
    CHECK(report.correct == correct);
    CHECK(report.accuracy() == static_cast<double>(correct) / 500);
    CHECK(report.mean_batch() >= 1);
    CHECK(report.mean_batch() <= 16);
    CHECK(report.per_second() > 0);
    CHECK(range.recorder().take().rides == 500);
  }
}

TEST_CASE("only one run goes on at a time, and the next one has a new id") {
  Barrier barrier;
  Range range([&](Batch& batch) {
    barrier.pass();
    return classify(batch);
  });
  CHECK_FALSE(range.fire().report().has_value());
  REQUIRE(range.fire().start(4, 100).ok());
  const Result<std::uint64_t> second = range.fire().start(4, 100);
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().code() == Errc::conflict);
  CHECK(range.fire().report()->state == FireState::running);
  barrier.open();
  CHECK(range.await_end().state == FireState::done);
}

TEST_CASE("a cancelled run ends at once, without what was being computed") {
  Barrier barrier;
  Range range([&](Batch& batch) {
    barrier.pass();
    return classify(batch);
  });
  REQUIRE(range.fire().start(4, 100).ok());
  barrier.await_arrival();
  range.fire().cancel();
  const FireReport report = range.await_end();
  CHECK(report.state == FireState::cancelled);
  CHECK(report.done == 0);
  CHECK(range.fire().report()->state == FireState::cancelled);
  barrier.open();
}

TEST_CASE("a full queue delays a run and skips no image") {
  Range range(classify, /*max_queue=*/1);
  REQUIRE(range.fire().start(32, 300).ok());
  const FireReport report = range.await_end();
  CHECK(report.state == FireState::done);
  CHECK(report.correct == correct_directly(range.images(), 300));
}

TEST_CASE("an image that fails ends its run as failed") {
  Range range([](Batch&) -> Result<void> { return Error(Errc::internal, "out of order"); });
  REQUIRE(range.fire().start(8, 100).ok());
  const FireReport report = range.await_end();
  CHECK(report.state == FireState::failed);
  CHECK(report.done == 0);
}

TEST_CASE("an answer that is no probability is wrong, not a class") {
  Range range([](Batch& batch) -> Result<void> {
    for (float& value : batch.output<float>()) value = std::nanf("");
    return aiserve::success();
  });
  REQUIRE(range.fire().start(8, 100).ok());
  const FireReport report = range.await_end();
  CHECK(report.done == 100);
  CHECK(report.correct == 0);
}

TEST_CASE("a shutdown cancels the run and refuses another") {
  Barrier barrier;
  Range range([&](Batch& batch) {
    barrier.pass();
    return classify(batch);
  });
  REQUIRE(range.fire().start(4, 100).ok());
  barrier.await_arrival();
  auto stopping = std::async(std::launch::async, [&] { range.runtime().shutdown(); });
  CHECK(range.await_end().state == FireState::cancelled);
  barrier.open();
  stopping.get();
  CHECK(range.fire().start(4, 100).error().code() == Errc::unavailable);
}
