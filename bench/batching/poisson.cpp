// batching.poissonN.*: Poisson arrivals at N % of what the model can do in full batches. Ours
// against no batching and against fixed windows, all in the same engine over the same model.
#include <algorithm>
#include <limits>
#include <memory>
#include <stdexcept>

#include <fmt/core.h>

#include "batching/groups.hpp"
#include "batching/offered.hpp"
#include "rivals/rivals.hpp"

namespace bench {
namespace {

// Like the MLP on this class of machine: 440 us alone, 1.7 ms for 32.
const tuner::ModelSpec kModel{tuner::ModelKind::spin, 400'000, 40'000, {}};
constexpr std::size_t kMaxBatch = 32;

std::unique_ptr<tuner::Subject> subject(const tuner::MakeBatcher& make, std::size_t max_queue) {
  tuner::SubjectOptions options;
  options.model = kModel;
  options.setting.max_batch = kMaxBatch;
  options.max_queue = max_queue;
  options.make_batcher = make;
  return std::make_unique<tuner::Subject>(options);
}

// One of those that take turns, and all it has answered in a round.
struct Turn {
  std::string name;
  std::unique_ptr<tuner::Subject> subject;
  tuner::TenantResult answered{};

  double p50() const { return milliseconds(answered.latency, 0.5); }
  double p99() const { return milliseconds(answered.latency, 0.99); }
  double beyond_p99() const { return 0.01 * static_cast<double>(answered.latency.count()); }
  // Who drops requests has no latency to compare.
  bool kept_up() const { return answered.refused + answered.expired == 0; }
};

std::vector<Turn> contestants() {
  constexpr std::size_t kMaxQueue = 4096;
  std::vector<Turn> all;
  all.push_back({"ours", subject(rivals::ours(), kMaxQueue)});
  for (const rivals::Contestant& rival : rivals::others()) {
    // Without batching the queue is always full from a quarter of saturation on: a short one is
    // empty again when the next has its turn.
    all.push_back({rival.name, subject(rival.make, rival.name == "none" ? 256 : kMaxQueue)});
  }
  return all;
}

struct Plan {
  double share = 0;  // of saturation
  int slices = 1;
  double seconds = 1;  // of a slice
};

struct State {
  double saturation = 0;
  std::uint64_t slice = 0;
};

void round(Sample& sample, State& state, const std::string& prefix, const Plan& plan) {
  std::vector<Turn> all = contestants();
  Offer offered;
  offered.per_second = plan.share * state.saturation;
  offered.seconds = plan.seconds;
  offered.warm_up = 0.1;
  for (int i = 0; i < plan.slices; ++i) {
    offered.seed = ++state.slice;
    for (Turn& turn : all) turn.answered.merge(offer(*turn.subject, offered).all());
  }
  double best_p50 = std::numeric_limits<double>::max();
  double best_p99 = best_p50;
  for (std::size_t i = 1; i < all.size(); ++i) {
    sample.set(prefix + "." + all[i].name + "_p50_ms", all[i].p50());
    sample.set_percentile(prefix + "." + all[i].name + "_p99_ms", all[i].p99(),
                          all[i].beyond_p99());
    if (!all[i].kept_up()) continue;
    best_p50 = std::min(best_p50, all[i].p50());
    best_p99 = std::min(best_p99, all[i].p99());
  }
  const Turn& ours = all.front();
  if (!ours.kept_up()) throw std::runtime_error("ours refused requests");
  sample.set(prefix + ".offered_per_s", offered.per_second);
  sample.set(prefix + ".p50_ms", ours.p50());
  sample.set_percentile(prefix + ".p99_ms", ours.p99(), ours.beyond_p99());
  sample.set(prefix + ".p50_ratio", ours.p50() / best_p50);
  sample.set_percentile(prefix + ".p99_ratio", ours.p99() / best_p99, ours.beyond_p99());
}

std::vector<Key> keys(const std::string& prefix) {
  std::vector<Key> all{{.name = prefix + ".p50_ratio", .unit = "ratio", .at_most = 1.05},
                       {.name = prefix + ".p99_ratio", .unit = "ratio", .at_most = 1.05},
                       {.name = prefix + ".p50_ms", .unit = "ms"},
                       {.name = prefix + ".p99_ms", .unit = "ms"}};
  for (const rivals::Contestant& rival : rivals::others()) {
    all.push_back({.name = prefix + "." + rival.name + "_p50_ms", .unit = "ms"});
    all.push_back({.name = prefix + "." + rival.name + "_p99_ms", .unit = "ms"});
  }
  all.push_back({.name = prefix + ".offered_per_s", .unit = "/s"});
  return all;
}

Group group(const Options& options, int percent) {
  const std::string prefix = fmt::format("batching.poisson{}", percent);
  Plan plan{percent / 100.0, 3, options.quick ? 0.6 : 1.0};
  if (percent == 10) plan.slices = options.quick ? 4 : 6;  // few requests come in a second
  const auto state = std::make_shared<State>();
  return {.name = prefix,
          .keys = keys(prefix),
          .begin =
              [state] {
                const auto target = subject(rivals::ours(), 4096);
                state->saturation = saturation(*target, 4 * static_cast<int>(kMaxBatch), 1.0);
              },
          .round = [=](Sample& sample) { round(sample, *state, prefix, plan); }};
}

}  // namespace

std::vector<Group> poisson_groups(const Options& options) {
  return {group(options, 10), group(options, 50), group(options, 80)};
}

}  // namespace bench
