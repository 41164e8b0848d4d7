// A Cache over simulated time with a memoized operation whose loader takes as long as a test says.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "aiserve/cache/cache.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/testing/sim_runtime.hpp"

namespace aiserve::testing {

using namespace std::chrono_literals;

/// What a loader is told to do.
struct Oven {
  Duration takes{};
  bool deaf = false;    ///< ignores its Context
  bool throws = false;  ///< after that time
  std::optional<Error> error{};
  std::string result = "cake";

  // What it did.
  int begun = 0;
  int ended = 0;
  std::vector<CancelReason> cancelled_by{};
  std::vector<Deadline> deadlines{};
  std::string last_input{};

  Async<std::string> bake(const Context& flight, const std::string& input) {
    ++begun;
    deadlines.push_back(flight.deadline());
    const Context& patience = deaf ? Context::background() : flight;
    if (takes > Duration::zero()) {
      const Result<void> slept = co_await sleep(patience, takes);
      if (!slept) {
        cancelled_by.push_back(flight.reason());
        co_return slept.error();
      }
    }
    last_input = input;
    ++ended;
    if (throws) throw std::runtime_error("burnt");
    if (error) co_return *error;
    co_return result;
  }
};

class MemoBench {
 public:
  using Operation = Memo<std::string, std::string>;

  explicit MemoBench(MemoOptions options = exact({}), CacheOptions cache_options = {})
      : telemetry({.log_sink = [this](LogLevel,
                                      std::string_view line) { log.append(line).append("\n"); }}),
        sim({.telemetry = &telemetry}),
        cache(sim.runtime(), std::move(cache_options)),
        memo(cache.memoize<std::string>(
            "bakery/oven",
            [this](const Context& flight, const std::string& input) {
              return oven.bake(flight, input);
            },
            std::move(options))) {
    sim.start();
  }

  /// Without jitter, so that a test can name the moment.
  static MemoOptions exact(MemoOptions options) {
    options.ttl_jitter = 0;
    return options;
  }

  Context context(std::string_view tenant = "acme", Duration patience = Duration::max()) {
    ContextOptions options;
    options.tenant = Tenant({.id = TenantId(tenant)});
    options.deadline = Deadline::after(sim.clock().now(), patience);
    return Context(std::move(options));
  }

  /// Begins a call; its outcome appears in outcomes[name].
  void call(const std::string& name, const Context& ctx, const std::string& input = "flour",
            CacheControl control = {}) {
    const auto ask = [this, name, input, control](const Context& own) -> Async<void> {
      outcomes[name] = co_await memo(own, input, control);
      co_return success();
    };
    spawn(sim.runtime(), ctx, ask);
    sim.run_until_idle();
  }
  /// Begins a call and lets it end.
  Result<std::string> get(const std::string& input = "flour", CacheControl control = {},
                          std::string_view tenant = "acme") {
    outcomes.erase("get");
    call("get", context(tenant), input, control);
    sim.advance(oven.takes);
    return outcomes.contains("get") ? outcomes["get"] : Error(Errc::internal, "it hangs");
  }
  std::string text(const std::string& name) {
    if (!outcomes.contains(name)) return "waits";
    const Result<std::string>& outcome = outcomes[name];
    return outcome ? *outcome : std::string(traits(outcome.error().code()).label);
  }

  // What loaders and callers use that are under way at the end comes first.
  std::string log;
  Oven oven;
  std::map<std::string, Result<std::string>> outcomes;
  Telemetry telemetry;
  SimRuntime sim;
  Cache cache;
  Operation memo;
};

}  // namespace aiserve::testing
