// batching.overloadN.*: more requests come than can be served, each with a deadline of 100 ms. What
// is answered in time is goodput; its peak is the larger of a closed loop's throughput and of what
// comes out of offering 90 % of it. Who is
// not served is to be told at once, not when its time is over.
#include <algorithm>
#include <memory>

#include <fmt/core.h>

#include "batching/groups.hpp"
#include "batching/offered.hpp"
#include "tuner/subject.hpp"

namespace bench {
namespace {

constexpr std::size_t kMaxBatch = 32;
constexpr tuner::Nanos kDeadline = 100'000'000;

struct State {
  std::unique_ptr<tuner::Subject> subject;
  double saturation = 0;
  std::uint64_t round = 0;
};

void begin(State& state) {
  tuner::SubjectOptions options;
  options.model = {tuner::ModelKind::spin, 1'000'000, 100'000, {}};
  options.setting.max_batch = kMaxBatch;
  options.max_queue = 4096;
  state.subject = std::make_unique<tuner::Subject>(options);
  state.saturation = saturation(*state.subject, 4 * static_cast<int>(kMaxBatch), 1.0);
}

void round(Sample& sample, State& state, const std::string& prefix, double times, double seconds) {
  Offer offered;
  offered.seconds = seconds;
  offered.warm_up = 0.5;
  offered.deadline = kDeadline;
  offered.seed = ++state.round;
  offered.per_second = 0.9 * state.saturation;
  const double peak = std::max(state.saturation, offer(*state.subject, offered).per_second());
  offered.per_second = times * state.saturation;
  const tuner::LoadResult result = offer(*state.subject, offered);
  const tuner::TenantResult all = result.all();
  sample.set(prefix + ".goodput_ratio", result.per_second() / peak);
  sample.set(prefix + ".goodput_per_s", result.per_second());
  sample.set(prefix + ".peak_per_s", peak);
  sample.set(prefix + ".p99_ms", milliseconds(all.latency, 0.99));
  sample.set(prefix + ".mean_batch", result.mean_batch());
  if (all.refusal.count() == 0) return;
  sample.set(prefix + ".reject_ms_p50", milliseconds(all.refusal, 0.5));
  sample.set_percentile(prefix + ".reject_ms_p99", milliseconds(all.refusal, 0.99),
                        static_cast<double>(all.refusal.count()) * 0.01);
}

Group group(const Options& options, const std::string& name, double times) {
  const std::string prefix = "batching." + name;
  const double seconds = options.quick ? 2.5 : 5;
  const auto state = std::make_shared<State>();
  return {.name = prefix,
          .keys = {{.name = prefix + ".goodput_ratio", .unit = "ratio", .at_least = 0.9},
                   {.name = prefix + ".reject_ms_p99", .unit = "ms", .at_most = 10},
                   {.name = prefix + ".reject_ms_p50", .unit = "ms"},
                   {.name = prefix + ".goodput_per_s", .unit = "/s"},
                   {.name = prefix + ".peak_per_s", .unit = "/s"},
                   {.name = prefix + ".p99_ms", .unit = "ms"},
                   {.name = prefix + ".mean_batch", .unit = "rows"}},
          .begin = [state] { begin(*state); },
          .round = [=](Sample& sample) { round(sample, *state, prefix, times, seconds); },
          .end = [state] { state->subject.reset(); }};
}

}  // namespace

std::vector<Group> overload_groups(const Options& options) {
  return {group(options, "overload15", 1.5), group(options, "overload30", 3.0)};
}

}  // namespace bench
