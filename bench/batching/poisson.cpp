// batching.poissonN.*: Poisson arrivals at N % of what the model can do in full batches. Ours
// against no batching and against fixed windows, all in the same engine over the same model.
#include <algorithm>
#include <memory>

#include <fmt/core.h>

#include "batching/groups.hpp"
#include "batching/offered.hpp"
#include "rivals/rivals.hpp"

namespace bench {
namespace {

// Like the MLP on this class of machine: 440 us alone, 1.7 ms for 32.
const tuner::ModelSpec kModel{tuner::ModelKind::spin, 400'000, 40'000, {}};
constexpr std::size_t kMaxBatch = 32;

std::unique_ptr<tuner::Subject> subject(const tuner::MakeBatcher& make) {
  tuner::SubjectOptions options;
  options.model = kModel;
  options.setting.max_batch = kMaxBatch;
  options.max_queue = 4096;
  options.make_batcher = make;
  return std::make_unique<tuner::Subject>(options);
}

// All that is measured of one contestant in a round.
struct Seen {
  double p50 = 0;
  double p99 = 0;
  double refused = 0;
};

Seen look(const tuner::MakeBatcher& make, const Offer& offered) {
  const auto target = subject(make);
  const tuner::LoadResult result = offer(*target, offered);
  const tuner::TenantResult all = result.all();
  return {milliseconds(all.latency, 0.5), milliseconds(all.latency, 0.99),
          static_cast<double>(all.refused + all.expired)};
}

struct State {
  double saturation = 0;
  std::uint64_t round = 0;
};

void round(Sample& sample, State& state, const std::string& prefix, double share, double seconds) {
  Offer offered;
  offered.per_second = share * state.saturation;
  offered.seconds = seconds;
  offered.seed = ++state.round;
  const Seen mine = look(rivals::ours(), offered);
  Seen best{1e9, 1e9, 0};
  for (const rivals::Contestant& rival : rivals::others()) {
    const Seen seen = look(rival.make, offered);
    sample.set(prefix + "." + rival.name + "_p50_ms", seen.p50);
    sample.set(prefix + "." + rival.name + "_p99_ms", seen.p99);
    if (seen.refused > 0) continue;  // who drops requests has no latency to compare
    best.p50 = std::min(best.p50, seen.p50);
    best.p99 = std::min(best.p99, seen.p99);
  }
  sample.set(prefix + ".offered_per_s", offered.per_second);
  sample.set(prefix + ".p50_ms", mine.p50);
  sample.set(prefix + ".p99_ms", mine.p99);
  sample.set(prefix + ".p50_ratio", mine.p50 / best.p50);
  sample.set(prefix + ".p99_ratio", mine.p99 / best.p99);
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
  // At low load a second holds few requests; the p99 of 10 % needs the longest.
  const double seconds = (percent == 10 ? 2.0 : 1.2) * (options.quick ? 1 : 3);
  const auto state = std::make_shared<State>();
  return {
      .name = prefix,
      .keys = keys(prefix),
      .begin =
          [state] {
            const auto target = subject(rivals::ours());
            state->saturation = saturation(*target, 4 * static_cast<int>(kMaxBatch), 1.0);
          },
      .round = [=](Sample& sample) { round(sample, *state, prefix, percent / 100.0, seconds); }};
}

}  // namespace

std::vector<Group> poisson_groups(const Options& options) {
  return {group(options, 10), group(options, 50), group(options, 80)};
}

}  // namespace bench
