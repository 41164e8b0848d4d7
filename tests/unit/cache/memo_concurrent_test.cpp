// Memoized operations called from several I/O threads at once.
#include <atomic>
#include <latch>

#include <doctest/doctest.h>

#include "aiserve/cache/cache.hpp"
#include "aiserve/cache/memory_cache_tier.hpp"
#include "aiserve/core/runtime.hpp"
#include "aiserve/core/telemetry.hpp"

using namespace aiserve;
using namespace std::chrono_literals;

namespace {

struct Quiet {
  Telemetry telemetry{{.log_level = LogLevel::off}};
};

}  // namespace

TEST_CASE("10,000 callers on four threads cost one load") {
  Quiet quiet;
  Runtime runtime({.io_threads = 4, .pool_queue = 100'000, .telemetry = &quiet.telemetry});
  Cache cache(runtime);
  constexpr int kCallers = 10'000;
  std::atomic<int> loads{0};
  std::latch here(kCallers);
  std::atomic<int> right{0};
  std::latch done(kCallers);
  auto memo = cache.memoize<std::string>(
      "storm", [&](const Context& flight, const std::string& input) -> Async<std::string> {
        loads.fetch_add(1);
        const auto all_here = [&here] { here.wait(); };
        const Result<void> waited = co_await runtime.blocking(flight, all_here);
        if (!waited) co_return waited.error();
        co_return input + "!";
      });
  runtime.start();
  const auto ask = [&](const Context& ctx) -> Async<void> {
    const std::string input = "cold";
    here.count_down();
    const Result<std::string> got = co_await memo(ctx, input);
    if (got && *got == "cold!") right.fetch_add(1);
    done.count_down();
    co_return success();
  };
  for (int i = 0; i < kCallers; ++i) spawn(runtime, Context::background(), ask);
  done.wait();
  CHECK(right.load() == kCallers);
  CHECK(loads.load() == 1);
  runtime.shutdown();
}

TEST_CASE("callers that leave, errors, invalidations and refreshes on four threads") {
  Quiet quiet;
  Runtime runtime({.io_threads = 4, .pool_queue = 100'000, .telemetry = &quiet.telemetry});
  Cache cache(runtime, {.capacity = 1 << 20, .digest_key = DigestKey(1, 2)});
  MemoryCacheTier tier(1 << 20);
  cache.add_tier(tier);
  auto memo = cache.memoize<std::string>(
      "x",
      [&runtime](const Context& flight, const std::string& input) -> Async<std::string> {
        const auto elsewhere = [] {};
        const Result<void> there = co_await runtime.blocking(flight, elsewhere);
        if (!there) co_return there.error();
        if (input == "3") co_return Error(Errc::not_found, "no 3");
        if (input == "4") throw std::runtime_error("no 4");
        co_return input + "!";
      },
      {.ttl = 20ms, .soft_ttl = 2ms, .stale_if_error = 1ms, .negative_ttl = 1ms});
  runtime.start();
  constexpr int kCallers = 4'000;
  std::latch done(kCallers);
  std::atomic<int> wrong{0};
  const auto ask = [&](const Context& parent, const int& i) -> Async<void> {
    const std::string input = std::to_string(i % 7);
    const Context ctx = parent.with_deadline(
        Deadline::after(runtime.clock().now(), i % 5 == 0 ? Duration(100us) : Duration(1s)));
    if (i % 11 == 0) cache.invalidate_tenant(TenantId());
    if (i % 13 == 0) memo.erase(TenantId(), input);
    if (i % 17 == 0) ctx.cancel(CancelReason::client_gone);
    const CacheControl control{.no_cache = i % 19 == 0};
    const Result<std::string> got = co_await memo(ctx, input, control);
    if (got && *got != input + "!") wrong.fetch_add(1);
    done.count_down();
    co_return success();
  };
  const Context root(ContextOptions{});
  for (int i = 0; i < kCallers; ++i) spawn(runtime, root, ask, i);
  done.wait();
  CHECK(wrong.load() == 0);
  runtime.shutdown();
}
