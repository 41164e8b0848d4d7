// cache.storm.computations: what many callers of one cold key cost.
#include <atomic>
#include <latch>
#include <string>

#include "aiserve/cache/cache.hpp"
#include "aiserve/core/runtime.hpp"
#include "cache/groups.hpp"

namespace bench {
namespace {

using namespace aiserve;

constexpr int kCallers = 10'000;

// The load goes on until every caller has come, so that none finds the result of another's.
void round(Sample& sample) {
  Runtime runtime({.io_threads = 2});
  Cache cache(runtime, {.capacity = 1_MiB});
  std::atomic<int> computations{0};
  std::atomic<int> answers{0};
  std::latch here(kCallers);
  std::latch done(kCallers);
  const auto compute = cache.memoize<std::string>(
      "storm", [&](const Context& flight, const std::string& input) -> Async<std::string> {
        computations.fetch_add(1);
        const auto all_here = [&here] { here.wait(); };
        const Result<void> waited = co_await runtime.blocking(flight, all_here);
        if (!waited) co_return waited.error();
        co_return input;
      });
  runtime.start();
  const auto ask = [&](const Context& ctx) -> Async<void> {
    const std::string input = "cold";
    here.count_down();
    const Result<std::string> got = co_await compute(ctx, input);
    if (got && *got == input) answers.fetch_add(1);
    done.count_down();
    co_return success();
  };
  for (int i = 0; i < kCallers; ++i) spawn(runtime, Context::background(), ask);
  done.wait();
  runtime.shutdown();
  sample.set("cache.storm.computations", computations.load());
  sample.set("cache.storm.answers", answers.load());
}

}  // namespace

std::vector<Group> storm_groups(const Options&) {
  return {{.name = "storm",
           .keys = {{.name = "cache.storm.computations", .unit = "", .at_most = 1},
                    {.name = "cache.storm.answers", .unit = "", .at_least = kCallers}},
           .round = round}};
}

}  // namespace bench
