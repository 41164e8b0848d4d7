// Screen: a line about what has happened since the line before it, and the total.
#pragma once

#include <cstdio>

#include "load.hpp"

namespace lab {

class Screen {
 public:
  Screen(const Batcher& batcher, const Load& load) : batcher_(batcher), load_(load) {}

  void line(const char* label) {
    const State now(batcher_.snapshot(), load_);
    const State before = std::exchange(before_, now);
    const HistogramSnapshot latency = now.latency.since(before.latency);
    const auto since = [&](std::size_t what) { return now.counts[what] - before.counts[what]; };
    const auto percent = [&](std::size_t what) {
      return 100 * since(what) / std::max(since(answered), 1.0);
    };
    std::printf("%5s: asked %.0f answered %.0f refused %.0f failed %.0f | p50 %.1f p99 %.1f ms",
                label, since(asked), since(answered), since(refused), since(failed),
                1e3 * latency.quantile(0.5), 1e3 * latency.quantile(0.99));
    const auto rows = static_cast<double>(now.batcher.computed - before.batcher.computed);
    const auto batches = static_cast<double>(now.batcher.batches - before.batcher.batches);
    std::printf(" | batch %.1f of %zu, knee %zu:", rows / std::max(batches, 1.0),
                now.batcher.max_batch, now.batcher.knee);
    for (std::size_t why = reason; why < tenant; ++why) {
      const auto name = to_string(static_cast<DispatchReason>(why - reason));
      if (since(why) > 0) std::printf(" %s %.0f%%", name.data(), percent(why));
    }
    std::printf(" | %d instances | a %.0f%% b %.0f%% %s\n", now.batcher.active_instances,
                percent(tenant), percent(tenant + 1), now.batcher.tuning.c_str());
    std::fflush(stdout);
  }

  void total() const {
    const State all(batcher_.snapshot(), load_);
    std::printf("total: asked %.0f answered %.0f refused %.0f failed %.0f computed %.0f\n",
                all.counts[asked], all.counts[answered], all.counts[refused], all.counts[failed],
                static_cast<double>(all.batcher.computed));
  }

 private:
  struct State {
    State() = default;
    State(BatcherSnapshot snapshot, const Load& load)
        : batcher(std::move(snapshot)), latency(load.latency().snapshot()) {
      for (std::size_t i = 0; i < end; ++i) counts[i] = static_cast<double>(load.counts()[i]);
    }
    BatcherSnapshot batcher;
    HistogramSnapshot latency;
    std::array<double, What::end> counts{};
  };

  const Batcher& batcher_;
  const Load& load_;
  State before_;
};

}  // namespace lab
