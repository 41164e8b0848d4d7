#include "batching/fashion.hpp"

#include <algorithm>
#include <memory>

#include "batching/contest.hpp"

namespace bench {
namespace {

double percentile(std::vector<double>& sorted, double share) {
  return sorted[static_cast<std::size_t>(static_cast<double>(sorted.size() - 1) * share)];
}

struct State {
  std::unique_ptr<Contest> contest;
  std::size_t best_batch = 0;
  std::size_t largest_fillable = 0;  // what 64 requests in flight can fill on each instance
};

constexpr std::size_t kInFlight = 64;

void begin(State& state, const std::string& path, int instances) {
  ContestOptions options;
  options.model = {tuner::ModelKind::fashion, 0, 0, path};
  options.instances = instances;
  state.contest = std::make_unique<Contest>(options);
  state.largest_fillable = kInFlight / static_cast<std::size_t>(instances);
}

struct Timing {
  int slices;
  double seconds;
};

double mean_batch_since(const State& state, const aiserve::BatcherSnapshot& before) {
  const auto now = state.contest->snapshot();
  return static_cast<double>(now.computed - before.computed) /
         static_cast<double>(now.batches - before.batches);
}

void closed64_round(Sample& sample, State& state, const std::string& prefix, Timing timing) {
  double floor = 0;
  double fillable = 0;
  LoopResult load;
  const auto before = state.contest->snapshot();
  for (int i = 0; i < timing.slices; ++i) {
    floor += state.contest->direct_rate(state.best_batch, timing.seconds) / timing.slices;
    fillable += state.contest->direct_rate(state.largest_fillable, timing.seconds) / timing.slices;
    load.add(state.contest->served(static_cast<int>(kInFlight), timing.seconds));
  }
  sample.set(prefix + "_ratio", load.per_second() / floor);
  sample.set(prefix + "_ceiling", fillable / floor);
  sample.set(prefix + "_ratio_of_ceiling", load.per_second() / fillable);
  sample.set(prefix + "_per_s", load.per_second());
  sample.set(prefix + "_direct_per_s", floor);
  sample.set(prefix + "_direct_batch", static_cast<double>(state.best_batch));
  sample.set(prefix + "_mean_batch", mean_batch_since(state, before));
  std::sort(load.latencies.begin(), load.latencies.end());
  const auto count = static_cast<double>(load.latencies.size());
  sample.set_percentile(prefix + "_p50_ms", percentile(load.latencies, 0.50) * 1e3, count * 0.50);
  sample.set_percentile(prefix + "_p99_ms", percentile(load.latencies, 0.99) * 1e3, count * 0.01);
}

Group closed64_group(const std::string& path, int instances, Timing timing) {
  const std::string prefix = "batching.fashion.closed64" +
                             (instances == 1 ? "" : ".instances" + std::to_string(instances));
  const auto state = std::make_shared<State>();
  return {.name = prefix,
          .keys = {{.name = prefix + "_ratio", .unit = "ratio", .at_least = 0.9},
                   {.name = prefix + "_ratio_of_ceiling", .unit = "ratio", .at_least = 0.9},
                   {.name = prefix + "_ceiling", .unit = "ratio"},
                   {.name = prefix + "_per_s", .unit = "/s"},
                   {.name = prefix + "_direct_per_s", .unit = "/s"},
                   {.name = prefix + "_direct_batch", .unit = "rows"},
                   {.name = prefix + "_mean_batch", .unit = "rows"},
                   {.name = prefix + "_p50_ms", .unit = "ms"},
                   {.name = prefix + "_p99_ms", .unit = "ms"}},
          .begin =
              [=] {
                begin(*state, path, instances);
                state->best_batch = state->contest->best_batch(timing.seconds);
              },
          .round = [=](Sample& sample) { closed64_round(sample, *state, prefix, timing); },
          .end = [=] { state->contest.reset(); }};
}

void closed1_round(Sample& sample, State& state, Timing timing) {
  LoopResult direct;
  LoopResult served;
  const auto before = state.contest->snapshot();
  for (int i = 0; i < timing.slices; ++i) {
    direct.add(state.contest->singles(timing.seconds));
    served.add(state.contest->served(1, timing.seconds));
  }
  const auto after = state.contest->snapshot();
  const auto computing =
      std::chrono::duration<double, std::micro>(after.computing - before.computing);
  const double call = median(direct.latencies) * 1e6;
  const double through = median(served.latencies) * 1e6;
  sample.set("batching.fashion.closed1_direct_us", call);
  sample.set("batching.fashion.closed1_us", through);
  sample.set("batching.fashion.closed1_added_us", through - call);
  sample.set("batching.fashion.closed1_in_model_us",
             computing.count() / static_cast<double>(after.computed - before.computed));
}

Group closed1_group(const std::string& path, Timing timing) {
  const auto state = std::make_shared<State>();
  return {.name = "batching.fashion.closed1",
          .keys = {{.name = "batching.fashion.closed1_added_us", .unit = "us", .at_most = 30},
                   {.name = "batching.fashion.closed1_us", .unit = "us"},
                   {.name = "batching.fashion.closed1_in_model_us", .unit = "us"},
                   {.name = "batching.fashion.closed1_direct_us", .unit = "us"}},
          .begin = [=] { begin(*state, path, 1); },
          .round = [=](Sample& sample) { closed1_round(sample, *state, timing); },
          .end = [=] { state->contest.reset(); }};
}

}  // namespace

std::vector<Group> fashion_groups(const Options& options, const std::string& model_path) {
  const Timing timing{.slices = options.quick ? 5 : 8, .seconds = 0.4};
  return {closed64_group(model_path, 1, timing), closed64_group(model_path, 2, timing),
          closed1_group(model_path, timing)};
}

}  // namespace bench
