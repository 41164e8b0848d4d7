// batching.mixed.*: sequences of 8 to 128 tokens, all lengths alike likely. Ours pads within
// buckets; the rival breaks the batch at the first mismatch, as Triton does. With 121 lengths two
// neighbours in the queue agree in 0.8 % of the cases, so that means one at a time. Each is offered
// as much as it can serve with p99 within 50 ms, found by bisection; the ratio is of those rates.
//
// The model keeps its core busy for 500 us per call and 2 us per token, padding included.
// batching.mixed.encoder_* is the same with a real encoder of 2 layers, d 128.
#include <atomic>
#include <memory>
#include <random>

#include "batching/groups.hpp"
#include "batching/offered.hpp"
#include "rivals/policies.hpp"
#include "rivals/rivals.hpp"
#include "tuner/subject.hpp"
#ifdef BENCH_WITH_TORCH
#include "aiserve/torch/torch_model.hpp"
#include "batching/script_models.hpp"
#endif

namespace bench {
namespace {

using namespace aiserve;

constexpr double kGoalMs = 50;
constexpr tuner::Nanos kPerCall = 500'000;
constexpr tuner::Nanos kPerToken = 2'000;

struct Waste {
  std::atomic<std::uint64_t> real{0};
  std::atomic<std::uint64_t> padded{0};

  double share() const {
    const auto all = static_cast<double>(real.load() + padded.load());
    return all > 0 ? static_cast<double>(padded.load()) / all : 0;
  }
};

std::vector<TensorSet> sequences(const std::string& input) {
  std::mt19937_64 random(3);
  std::vector<TensorSet> all(1024);
  for (TensorSet& set : all) {
    const auto length = static_cast<std::int64_t>(8 + random() % 121);
    std::vector<std::int64_t> ids(static_cast<std::size_t>(length));
    for (std::int64_t& id : ids) id = static_cast<std::int64_t>(1 + random() % 999);
    set.add(input,
            Tensor::from<std::int64_t>(Shape{length}, std::span<const std::int64_t>(ids)).value());
  }
  return all;
}

Result<void> compute(Batch& batch, Waste& waste) {
  const std::int64_t longest = batch.input_shape()[1];
  const auto rows = static_cast<std::int64_t>(batch.size());
  std::int64_t real = 0;
  for (std::size_t row = 0; row < batch.size(); ++row) real += batch.length(row);
  waste.real += static_cast<std::uint64_t>(real);
  waste.padded += static_cast<std::uint64_t>(rows * longest - real);
  tuner::spin(kPerCall + kPerToken * rows * longest);
  return success();
}

tuner::Zoo spinning(Waste& waste) {
  CallableModelOptions options;
  options.name = "tokens";
  options.signature = {{TensorSpec("ids", DType::i64, {-1, -1})},
                       {TensorSpec("y", DType::f32, {-1, 4})}};
  tuner::Zoo zoo;
  zoo.inputs = sequences("ids");
  zoo.model = std::make_unique<CallableModel>(
      options, [&waste](Batch& batch) { return compute(batch, waste); });
  return zoo;
}

#ifdef BENCH_WITH_TORCH
tuner::Zoo encoder() {
  TorchModelOptions options;
  options.path = script_models().encoder;
  options.instances = 1;
  tuner::Zoo zoo;
  zoo.inputs = sequences("ids");
  zoo.model = std::make_unique<TorchModel>(options);
  return zoo;
}
#endif

std::unique_ptr<Batcher> padding(Runtime& runtime, Model& model, BatcherOptions options) {
  options.shapes.mode = ShapeMode::padded;
  return std::make_unique<Batcher>(runtime, model, std::move(options));
}

using MakeZoo = std::function<tuner::Zoo()>;

std::unique_ptr<tuner::Subject> subject(const MakeZoo& zoo, const tuner::MakeBatcher& batcher) {
  tuner::SubjectOptions options;
  options.setting.max_batch = 32;
  options.max_queue = 256;  // more than the goal allows, and soon empty again
  options.make_zoo = zoo;
  options.make_batcher = batcher;
  return std::make_unique<tuner::Subject>(options);
}

// The highest rate whose p99 stays within the goal.
double capacity(tuner::Subject& target, std::uint64_t seed, double seconds) {
  const double full = saturation(target, 128, 0.6);
  double good = 0;
  double bad = 1.05 * full;
  for (double rate = 0.8 * full; bad - good > 0.03 * full; rate = (good + bad) / 2) {
    Offer offered;
    offered.per_second = rate;
    offered.seconds = seconds;
    offered.seed = seed;
    const tuner::TenantResult all = offer(target, offered).all();
    const bool kept = milliseconds(all.latency, 0.99) <= kGoalMs && all.refused == 0;
    (kept ? good : bad) = rate;
  }
  return good;
}

struct Seen {
  double ours = 0;
  double rival = 0;
};

Seen measure(const MakeZoo& ours, const MakeZoo& others, std::uint64_t seed, double seconds) {
  Seen seen;
  {
    const auto target = subject(ours, &padding);
    seen.ours = capacity(*target, seed, seconds);
  }
  const auto target = subject(others, rivals::with_policy(&rivals::one_by_one));
  seen.rival = capacity(*target, seed, seconds);
  return seen;
}

void report(Sample& sample, const std::string& prefix, const Seen& seen) {
  sample.set(prefix + "throughput_ratio", seen.ours / seen.rival);
  sample.set(prefix + "per_s", seen.ours);
  sample.set(prefix + "breaking_per_s", seen.rival);
}

Group spin_group(const Options& options) {
  const double seconds = options.quick ? 0.7 : 1;
  const auto seed = std::make_shared<std::uint64_t>(0);
  return {.name = "batching.mixed",
          .keys = {{.name = "batching.mixed.throughput_ratio", .unit = "ratio", .at_least = 1.5},
                   {.name = "batching.mixed.per_s", .unit = "/s"},
                   {.name = "batching.mixed.breaking_per_s", .unit = "/s"},
                   {.name = "batching.mixed.padding_waste", .unit = "share"}},
          .round = [=](Sample& sample) {
            Waste ours;
            Waste others;
            const Seen seen = measure([&] { return spinning(ours); },
                                      [&] { return spinning(others); }, ++*seed, seconds);
            report(sample, "batching.mixed.", seen);
            sample.set("batching.mixed.padding_waste", ours.share());
          }};
}

#ifdef BENCH_WITH_TORCH
Group encoder_group(const Options& options) {
  const double seconds = options.quick ? 0.7 : 1;
  const auto seed = std::make_shared<std::uint64_t>(0);
  return {.name = "batching.mixed.encoder",
          .keys = {{.name = "batching.mixed.encoder_throughput_ratio", .unit = "ratio"},
                   {.name = "batching.mixed.encoder_per_s", .unit = "/s"},
                   {.name = "batching.mixed.encoder_breaking_per_s", .unit = "/s"}},
          .round = [=](Sample& sample) {
            report(sample, "batching.mixed.encoder_",
                   measure(&encoder, &encoder, ++*seed, seconds));
          }};
}
#endif

}  // namespace

std::vector<Group> mixed_groups(const Options& options) {
  std::vector<Group> groups{spin_group(options)};
#ifdef BENCH_WITH_TORCH
  groups.push_back(encoder_group(options));
#endif
  return groups;
}

}  // namespace bench
