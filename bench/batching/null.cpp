// batching.null.*, batching.scaling.*: what the machinery costs when the model costs nothing.
#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include <fmt/core.h>

#include "batching/groups.hpp"
#include "decide/scheduler.hpp"
#include "embed/hop.hpp"
#include "harness/process.hpp"

namespace bench {
namespace {

namespace decide = aiserve::decide;

// Admission, decision and taking out, with `depth` waiting; per request, on one thread. No lock, no
// entry, no thread: what is decided, and nothing else.
double policy_ns(std::size_t depth, int rounds) {
  constexpr std::size_t kMaxBatch = 64;
  decide::SchedulerOptions options;
  options.max_batch = kMaxBatch;
  decide::Scheduler scheduler(options);
  std::vector<decide::QueueItem> items(depth);
  decide::Picked picked;
  decide::Nanos now = 0;
  const auto run = [&](int times) {
    for (int i = 0; i < times; ++i) {
      for (decide::QueueItem& item : items) {
        item.arrived = ++now;
        scheduler.admit(item, {}, now);
      }
      while (scheduler.items() != 0) {
        picked.clear();
        const decide::BatchDecision decision = scheduler.pick(now, 1, 0, picked);
        scheduler.finished(decision.lane, picked.members.size(), 1000);
      }
    }
  };
  run(rounds / 10);
  const double begun = seconds_now();
  run(rounds);
  return (seconds_now() - begun) * 1e9 / (static_cast<double>(rounds) * static_cast<double>(depth));
}

void null_round(Sample& sample, int runs) {
  HopCost sum;
  for (int i = 0; i < runs; ++i) {
    const HopCost cost = measure_hop(HopKind::batcher, 64, 200'000);
    sum.cpu_ns += cost.cpu_ns / runs;
    sum.wall_ns += cost.wall_ns / runs;
  }
  sample.set("batching.null.cpu_ns_per_request", sum.cpu_ns);
  sample.set("batching.null.wall_ns_per_request", sum.wall_ns);
  sample.set("batching.null.policy_ns", policy_ns(64, 20'000));
  sample.set("batching.null.policy_4096_ns", policy_ns(4096, 300));
}

// The numbers take turns, so that a slow moment of the machine hits all. Those between show where
// what the requests in flight keep in memory (2 KB each) outgrows the caches of a core.
void scaling_round(Sample& sample, int runs) {
  constexpr std::array<int, 4> kInFlight{64, 256, 1024, 4096};
  std::array<double, kInFlight.size()> cost{};
  for (int i = 0; i < runs; ++i) {
    for (std::size_t k = 0; k < kInFlight.size(); ++k) {
      cost[k] += measure_hop(HopKind::batcher_small, kInFlight[k], 300'000).cpu_ns / runs;
    }
  }
  sample.set("batching.scaling.cpu_ratio", cost.back() / cost.front());
  for (std::size_t k = 0; k < kInFlight.size(); ++k) {
    sample.set(fmt::format("batching.scaling.cpu_ns_at_{}", kInFlight[k]), cost[k]);
  }
}

}  // namespace

std::vector<Group> null_groups(const Options& options) {
  const int runs = options.quick ? 8 : 12;
  return {{.name = "batching.null",
           .keys = {{.name = "batching.null.cpu_ns_per_request", .unit = "ns CPU", .at_most = 1500},
                    {.name = "batching.null.wall_ns_per_request", .unit = "ns"},
                    {.name = "batching.null.policy_ns", .unit = "ns", .at_most = 150},
                    {.name = "batching.null.policy_4096_ns", .unit = "ns"}},
           .round = [runs](Sample& sample) { null_round(sample, runs); }},
          {.name = "batching.scaling",
           .keys = {{.name = "batching.scaling.cpu_ratio", .unit = "ratio", .at_most = 1.2},
                    {.name = "batching.scaling.cpu_ns_at_64", .unit = "ns CPU"},
                    {.name = "batching.scaling.cpu_ns_at_256", .unit = "ns CPU"},
                    {.name = "batching.scaling.cpu_ns_at_1024", .unit = "ns CPU"},
                    {.name = "batching.scaling.cpu_ns_at_4096", .unit = "ns CPU"}},
           .round = [runs](Sample& sample) { scaling_round(sample, runs); }}};
}

}  // namespace bench
