// A lab to play with batching in a terminal. What it takes stands in kUsage, and in --help.
#include <aiserve/core/telemetry.hpp>

#include <cstdio>

#include "keys.hpp"
#include "load.hpp"
#include "model.hpp"
#include "screen.hpp"

using namespace aiserve;

constexpr const char* kUsage =
    R"(A lab to play with batching: a model of known cost, two tenants, and a line each second.

  05_batching_lab                                 24 clients each, 2 ms + 0.1 ms per row
  05_batching_lab --rate 3000:500 --goal-ms 20    an open load, tuned to a p99 of 20 ms
  05_batching_lab --clients 60:60 --weights 3:1 --max-batch 16   whose rows are computed?
  05_batching_lab --fixed-us 0 --row-us 500       a model that gains nothing from batches

More: --instances, --max-batch, --seconds, --spin 1 (compute instead of sleep). Keys, while it
runs: b B max batch, i I instances, g G latency goal, 0 no goal, f F freeze, q quit.
)";

int main(int argc, char** argv) try {
  const lab::Settings settings = lab::parse(argc, argv);
  if (settings.help) return std::fputs(kUsage, stdout) < 0 ? 1 : 0;
  Telemetry telemetry({.log_level = LogLevel::warn});
  Runtime runtime({.telemetry = &telemetry});
  lab::LabModel model(settings);
  Batcher batcher(runtime, model,
                  {.latency_goal = lab::micros(1e3 * settings.goal_ms),
                   .max_batch = static_cast<std::size_t>(settings.max_batch),
                   .instances = static_cast<int>(settings.instances)});
  lab::Load load(runtime, batcher, settings);
  lab::Screen screen(batcher, load);
  lab::Terminal terminal;

  runtime.start();
  while (!runtime.readiness().ready) std::this_thread::sleep_for(lab::micros(1000));
  load.start();
  char key = 0;
  auto next = std::chrono::steady_clock::now();
  for (int second = 1; key != 'q' && (settings.seconds == 0 || second <= settings.seconds);
       ++second) {
    next += std::chrono::seconds(1);
    while (key != 'q' && std::chrono::steady_clock::now() < next) {
      key = terminal.key(next);
      lab::press(key, batcher);
    }
    screen.line((std::to_string(second) + " s").c_str());
  }
  load.stop();
  runtime.shutdown();
  screen.line("rest");
  screen.total();
} catch (const ConfigError& error) {
  return report(error);
}
