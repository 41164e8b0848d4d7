#include "batching/fashion.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <thread>

#include "aiserve/core/runtime.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/serving/batcher.hpp"
#include "aiserve/torch/torch_model.hpp"
#include "batching/closed_loop.hpp"
#include "batching/direct_model.hpp"
#include "fashion_data/dataset.hpp"

namespace bench {
namespace {

using aiserve::Async;
using aiserve::Context;
using aiserve::Tensor;
constexpr std::size_t kPixels = fashion::kPixels;
constexpr std::size_t kLargestBatch = 256;

aiserve::TelemetryOptions quiet() {
  aiserve::TelemetryOptions options;
  options.log_level = aiserve::LogLevel::warn;
  return options;
}

// The batcher's side: one I/O thread, `instances` workers.
class Served {
 public:
  Served(const std::string& path, int instances, const std::vector<float>& pixels)
      : telemetry_(quiet()),
        model_({.path = path, .instances = instances, .telemetry = &telemetry_}),
        runtime_({.telemetry = &telemetry_}),
        batcher_(runtime_, model_, {.max_batch = 64}) {
    for (std::size_t at = 0; at < pixels.size(); at += kPixels) {
      const auto image = std::span(pixels).subspan(at, kPixels);
      images_.push_back(Tensor::from<float>({1, 28, 28}, image).value());
    }
    runtime_.start();
    if (load(1, 0.05).failed != 0) throw std::runtime_error("the fashion model fails");
  }
  ~Served() { runtime_.shutdown(); }

  LoopResult load(int in_flight, double seconds) {
    const auto infer = [this](const Context& ctx, std::uint64_t index) -> Async<Tensor> {
      return batcher_.infer(ctx, images_[index % images_.size()]);
    };
    return closed_loop(runtime_, in_flight, seconds, infer);
  }
  double mean_batch_since(const aiserve::BatcherSnapshot& before) const {
    const auto now = batcher_.snapshot();
    return static_cast<double>(now.computed - before.computed) /
           static_cast<double>(now.batches - before.batches);
  }
  aiserve::BatcherSnapshot snapshot() const { return batcher_.snapshot(); }

 private:
  aiserve::Telemetry telemetry_;
  aiserve::TorchModel model_;
  aiserve::Runtime runtime_;
  aiserve::Batcher batcher_;
  std::vector<Tensor> images_;
};

// The floor: as many threads as instances, each calling its own module on images that lie ready.
class Direct {
 public:
  Direct(const std::string& path, int instances, const std::vector<float>& pixels)
      : pixels_(pixels) {
    for (int i = 0; i < instances; ++i) models_.push_back(std::make_unique<DirectModel>(path));
    for (const auto& model : models_) loop(*model, kLargestBatch, 0.1);
  }

  /// Images per second of all instances together.
  double rate(std::size_t batch, double seconds) {
    std::vector<double> rates(models_.size());
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < models_.size(); ++i) {
      threads.emplace_back([&, i] { rates[i] = loop(*models_[i], batch, seconds).per_second(); });
    }
    for (std::thread& thread : threads) thread.join();
    double sum = 0;
    for (const double rate : rates) sum += rate;
    return sum;
  }
  std::size_t best_batch(double seconds_each) {
    std::size_t best = 0;
    double best_rate = 0;
    for (std::size_t batch = 1; batch <= kLargestBatch; batch *= 2) {
      const double rate_now = rate(batch, seconds_each);
      if (rate_now > best_rate) best = batch;
      best_rate = std::max(best_rate, rate_now);
    }
    return best;
  }
  /// Calls of one image, on the calling thread.
  LoopResult singles(double seconds) { return loop(*models_.front(), 1, seconds); }

 private:
  LoopResult loop(DirectModel& model, std::size_t batch, double seconds) const {
    LoopResult result;
    std::vector<float> output(batch * fashion::kClasses);
    const std::size_t images = pixels_.size() / kPixels;
    const double begun = seconds_now();
    double now = begun;
    for (std::size_t at = 0; now < begun + seconds; at = (at + batch) % (images - batch)) {
      model.run(std::span(pixels_).subspan(at * kPixels, batch * kPixels), batch, output);
      const double after = seconds_now();
      result.latencies.push_back(after - now);
      now = after;
      result.completed += batch;
    }
    result.seconds = now - begun;
    return result;
  }

  const std::vector<float>& pixels_;
  std::vector<std::unique_ptr<DirectModel>> models_;
};

std::vector<float> held_out_pixels() {
  const fashion::Dataset images =
      fashion::load(fashion::default_folder(), fashion::Split::held_out, 2048);
  std::vector<float> pixels;
  for (const std::uint8_t pixel : images.pixels) {
    pixels.push_back(static_cast<float>(pixel) / 255.0F);
  }
  return pixels;
}

struct Pair {
  Pair(const std::string& path, int instances)
      : pixels(held_out_pixels()),
        served(path, instances, pixels),
        direct(path, instances, pixels) {}
  std::vector<float> pixels;
  Served served;
  Direct direct;
  std::size_t best_batch = 0;
};

double percentile(std::vector<double>& sorted, double share) {
  return sorted[static_cast<std::size_t>(static_cast<double>(sorted.size() - 1) * share)];
}

struct Timing {
  int slices;
  double seconds;
};

void closed64_round(Sample& sample, Pair& pair, const std::string& prefix, Timing timing) {
  double floor = 0;
  LoopResult load;
  const auto before = pair.served.snapshot();
  for (int i = 0; i < timing.slices; ++i) {
    floor += pair.direct.rate(pair.best_batch, timing.seconds) / timing.slices;
    load.add(pair.served.load(64, timing.seconds));
  }
  if (load.failed != 0) throw std::runtime_error("requests failed");
  sample.set(prefix + "_ratio", load.per_second() / floor);
  sample.set(prefix + "_per_s", load.per_second());
  sample.set(prefix + "_direct_per_s", floor);
  sample.set(prefix + "_direct_batch", static_cast<double>(pair.best_batch));
  sample.set(prefix + "_mean_batch", pair.served.mean_batch_since(before));
  std::sort(load.latencies.begin(), load.latencies.end());
  const auto count = static_cast<double>(load.latencies.size());
  sample.set_percentile(prefix + "_p50_ms", percentile(load.latencies, 0.50) * 1e3, count * 0.50);
  sample.set_percentile(prefix + "_p99_ms", percentile(load.latencies, 0.99) * 1e3, count * 0.01);
}

Group closed64_group(const std::string& path, int instances, Timing timing) {
  const std::string prefix = "batching.fashion.closed64" +
                             (instances == 1 ? "" : ".instances" + std::to_string(instances));
  const auto pair = std::make_shared<std::unique_ptr<Pair>>();
  return {.name = prefix,
          .keys = {{.name = prefix + "_ratio", .unit = "ratio", .at_least = 0.9},
                   {.name = prefix + "_per_s", .unit = "/s"},
                   {.name = prefix + "_direct_per_s", .unit = "/s"},
                   {.name = prefix + "_direct_batch", .unit = "rows"},
                   {.name = prefix + "_mean_batch", .unit = "rows"},
                   {.name = prefix + "_p50_ms", .unit = "ms"},
                   {.name = prefix + "_p99_ms", .unit = "ms"}},
          .begin =
              [=] {
                *pair = std::make_unique<Pair>(path, instances);
                (*pair)->best_batch = (*pair)->direct.best_batch(timing.seconds);
              },
          .round = [=](Sample& sample) { closed64_round(sample, **pair, prefix, timing); },
          .end = [=] { pair->reset(); }};
}

void closed1_round(Sample& sample, Pair& pair, Timing timing) {
  LoopResult direct;
  LoopResult served;
  for (int i = 0; i < timing.slices; ++i) {
    direct.add(pair.direct.singles(timing.seconds));
    served.add(pair.served.load(1, timing.seconds));
  }
  if (served.failed != 0) throw std::runtime_error("requests failed");
  const double call = median(direct.latencies) * 1e6;
  const double through = median(served.latencies) * 1e6;
  sample.set("batching.fashion.closed1_direct_us", call);
  sample.set("batching.fashion.closed1_us", through);
  sample.set("batching.fashion.closed1_added_us", through - call);
}

Group closed1_group(const std::string& path, Timing timing) {
  const auto pair = std::make_shared<std::unique_ptr<Pair>>();
  return {.name = "batching.fashion.closed1",
          .keys = {{.name = "batching.fashion.closed1_added_us", .unit = "us", .at_most = 30},
                   {.name = "batching.fashion.closed1_us", .unit = "us"},
                   {.name = "batching.fashion.closed1_direct_us", .unit = "us"}},
          .begin = [=] { *pair = std::make_unique<Pair>(path, 1); },
          .round = [=](Sample& sample) { closed1_round(sample, **pair, timing); },
          .end = [=] { pair->reset(); }};
}

}  // namespace

std::vector<Group> fashion_groups(const Options& options, const std::string& model_path) {
  const Timing timing{.slices = options.quick ? 6 : 12, .seconds = 0.4};
  return {closed64_group(model_path, 1, timing), closed64_group(model_path, 2, timing),
          closed1_group(model_path, timing)};
}

}  // namespace bench
