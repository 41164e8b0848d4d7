// batching.goalN.*: a latency goal of N ms (p99), 1.3 times more requests than can be served. Ours
// is told the goal and nothing else; against it the best of a sweep by hand over max_batch and
// max_queue: the setting with the most throughput whose p99 kept the goal. Ours starts anew in
// every round and has 4 s to find its setting; then both are measured, one after the other.
#include <memory>
#include <stdexcept>

#include <fmt/core.h>

#include "batching/groups.hpp"
#include "batching/offered.hpp"
#include "tuner/subject.hpp"

namespace bench {
namespace {

// Twice a batch of 64 is 15 ms: a goal of 10 ms needs smaller ones.
const tuner::ModelSpec kModel{tuner::ModelKind::spin, 1'000'000, 100'000, {}};

struct HandSetting {
  std::size_t max_batch = 0;
  std::size_t max_queue = 0;
  double per_second = 0;
};

struct State {
  double saturation = 0;
  HandSetting best;
  std::uint64_t round = 0;
};

std::unique_ptr<tuner::Subject> by_hand(std::size_t max_batch, std::size_t max_queue) {
  tuner::SubjectOptions options;
  options.model = kModel;
  options.setting.max_batch = max_batch;
  options.max_queue = max_queue;
  options.make_batcher = [](aiserve::Runtime& runtime, aiserve::Model& model,
                            aiserve::BatcherOptions made) {
    made.learn_cap = false;
    return std::make_unique<aiserve::Batcher>(runtime, model, std::move(made));
  };
  return std::make_unique<tuner::Subject>(options);
}

std::unique_ptr<tuner::Subject> with_goal(int goal_ms) {
  tuner::SubjectOptions options;
  options.model = kModel;
  options.setting.max_batch = 64;
  options.max_queue = 4096;
  options.make_batcher = [goal_ms](aiserve::Runtime& runtime, aiserve::Model& model,
                                   aiserve::BatcherOptions made) {
    made.latency_goal = std::chrono::milliseconds(goal_ms);
    return std::make_unique<aiserve::Batcher>(runtime, model, std::move(made));
  };
  return std::make_unique<tuner::Subject>(options);
}

Offer overload(const State& state, double seconds, double warm_up) {
  Offer offered;
  offered.per_second = 1.3 * state.saturation;
  offered.seconds = seconds;
  offered.warm_up = warm_up;
  offered.seed = state.round;
  return offered;
}

void begin(State& state, int goal_ms) {
  {
    const auto subject = by_hand(64, 4096);
    state.saturation = saturation(*subject, 256, 1.0);
  }
  for (const std::size_t max_batch : {4U, 8U, 16U, 32U, 64U}) {
    for (const std::size_t max_queue : {8U, 16U, 32U, 64U, 128U, 256U}) {
      const auto subject = by_hand(max_batch, max_queue);
      const tuner::LoadResult result = offer(*subject, overload(state, 0.5, 0.1));
      if (milliseconds(result.all().latency, 0.99) > goal_ms) continue;
      if (result.per_second() > state.best.per_second) {
        state.best = {max_batch, max_queue, result.per_second()};
      }
    }
  }
  if (state.best.max_batch == 0) throw std::runtime_error("no setting by hand keeps the goal");
}

void round(Sample& sample, State& state, const std::string& prefix, int goal_ms, double seconds) {
  ++state.round;
  const auto rival = by_hand(state.best.max_batch, state.best.max_queue);
  const tuner::LoadResult hand = offer(*rival, overload(state, seconds, 0.3));
  const auto subject = with_goal(goal_ms);
  const tuner::LoadResult ours = offer(*subject, overload(state, seconds, 4.0));
  const double p99 = milliseconds(ours.all().latency, 0.99);
  const double beyond = 0.01 * static_cast<double>(ours.all().latency.count());
  sample.set_percentile(prefix + ".p99_ratio", p99 / goal_ms, beyond);
  sample.set(prefix + ".throughput_ratio", ours.per_second() / hand.per_second());
  sample.set_percentile(prefix + ".p99_ms", p99, beyond);
  sample.set(prefix + ".per_s", ours.per_second());
  sample.set(prefix + ".mean_batch", ours.mean_batch());
  sample.set_percentile(prefix + ".hand_p99_ms", milliseconds(hand.all().latency, 0.99),
                        0.01 * static_cast<double>(hand.all().latency.count()));
  sample.set(prefix + ".hand_per_s", hand.per_second());
  sample.set(prefix + ".hand_max_batch", static_cast<double>(state.best.max_batch));
  sample.set(prefix + ".hand_max_queue", static_cast<double>(state.best.max_queue));
}

Group group(const Options& options, int goal_ms) {
  const std::string prefix = fmt::format("batching.goal{}", goal_ms);
  const double seconds = options.quick ? 1.5 : 3;
  const auto state = std::make_shared<State>();
  return {.name = prefix,
          .keys = {{.name = prefix + ".p99_ratio", .unit = "ratio", .at_most = 1.0},
                   {.name = prefix + ".throughput_ratio", .unit = "ratio", .at_least = 0.9},
                   {.name = prefix + ".p99_ms", .unit = "ms"},
                   {.name = prefix + ".per_s", .unit = "/s"},
                   {.name = prefix + ".mean_batch", .unit = "rows"},
                   {.name = prefix + ".hand_p99_ms", .unit = "ms"},
                   {.name = prefix + ".hand_per_s", .unit = "/s"},
                   {.name = prefix + ".hand_max_batch", .unit = "rows"},
                   {.name = prefix + ".hand_max_queue", .unit = "rows"}},
          .begin = [=] { begin(*state, goal_ms); },
          .round = [=](Sample& sample) { round(sample, *state, prefix, goal_ms, seconds); }};
}

}  // namespace

std::vector<Group> goal_groups(const Options& options) {
  return {group(options, 10), group(options, 20), group(options, 50)};
}

}  // namespace bench
