// batching.MODEL.saturation_*: as many requests as the Batcher can take, against the same module
// called in a loop at whatever batch it is fastest. Floor and Batcher take turns.
#include <chrono>
#include <memory>

#include "batching/contest.hpp"
#include "batching/fashion.hpp"
#include "batching/groups.hpp"
#include "batching/script_models.hpp"

namespace bench {
namespace {

struct State {
  std::unique_ptr<Contest> contest;
  std::size_t best_batch = 0;
};

void round(Sample& sample, State& state, const std::string& prefix, int slices) {
  constexpr double kSlice = 0.4;
  constexpr int kInFlight = 512;  // the next batch is there before the last one ends
  double floor = 0;
  LoopResult load;
  const auto before = state.contest->snapshot();
  for (int i = 0; i < slices; ++i) {
    floor += state.contest->direct_rate(state.best_batch, kSlice) / slices;
    load.add(state.contest->served(kInFlight, kSlice));
  }
  const auto after = state.contest->snapshot();
  sample.set(prefix + ".saturation_ratio", load.per_second() / floor);
  sample.set(prefix + ".saturation_per_s", load.per_second());
  sample.set(prefix + ".saturation_direct_per_s", floor);
  sample.set(prefix + ".saturation_direct_batch", static_cast<double>(state.best_batch));
  // What is missing is not in the model: the rest of a lower ratio is the model itself, which is
  // slower beside the thread that brings the requests, or in smaller batches.
  const double computing =
      std::chrono::duration<double>(after.computing - before.computing).count();
  sample.set(prefix + ".saturation_in_model", computing / load.seconds);
  sample.set(prefix + ".saturation_mean_batch",
             static_cast<double>(after.computed - before.computed) /
                 static_cast<double>(after.batches - before.batches));
}

Group group(const Options& options, const std::string& prefix, const tuner::ModelSpec& model) {
  const auto state = std::make_shared<State>();
  const int slices = options.quick ? 6 : 10;
  return {.name = prefix + ".saturation",
          .keys = {{.name = prefix + ".saturation_ratio", .unit = "ratio", .at_least = 0.95},
                   {.name = prefix + ".saturation_per_s", .unit = "/s"},
                   {.name = prefix + ".saturation_direct_per_s", .unit = "/s"},
                   {.name = prefix + ".saturation_direct_batch", .unit = "rows"},
                   {.name = prefix + ".saturation_in_model", .unit = "share"},
                   {.name = prefix + ".saturation_mean_batch", .unit = "rows"}},
          .begin =
              [=] {
                ContestOptions contest;
                contest.model = model;
                contest.max_batch = 256;
                state->contest = std::make_unique<Contest>(contest);
                state->best_batch = state->contest->best_batch(0.3);
              },
          .round = [=](Sample& sample) { round(sample, *state, prefix, slices); },
          .end = [state] { state->contest.reset(); }};
}

}  // namespace

std::vector<Group> saturation_groups(const Options& options, const std::string& model) {
  std::vector<Group> groups{
      group(options, "batching.mlp", {tuner::ModelKind::torch, 0, 0, script_models().mlp})};
  if (model.empty()) {
    leave_out("batching.fashion.*", "no --model given");
    return groups;
  }
  groups.push_back(group(options, "batching.fashion", {tuner::ModelKind::fashion, 0, 0, model}));
  for (Group& each : fashion_groups(options, model)) groups.push_back(std::move(each));
  return groups;
}

}  // namespace bench
