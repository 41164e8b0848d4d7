// aiserve-bench: what a model gives behind aiserve's Batcher, with which setting, at which latency.
//
//   aiserve-bench sweep --model fashion --goal 10ms --html report.html
//   aiserve-bench run --model spin:400us+40us --open poisson --rate 2000,8000 --json now.json
//   aiserve-bench run --open poisson --tenants quiet:1:300,loud:1:30000 --html tenants.html
//   aiserve-bench run --url http://127.0.0.1:8080/v1/fashion --body shoe.bin --open bursty
//       --rate 500
//   aiserve-bench compare before.json now.json
//
// `sweep` first saturates every setting (max_batch x instances x threads x wait) with a closed
// loop, repeats interleaved, and finds the knee: the smallest batch within 2 % of the best
// throughput. It then loads the best settings with open-loop Poisson arrivals at 10 to 95 % of
// their saturation, and searches for the highest rate whose p99 keeps --goal. What it recommends it
// says in words.
//
// `run` measures one setting or a service behind a URL under one or several loads.
//
// In an open loop every request has a scheduled time, made from a seed before the run begins.
// Latency counts from there, not from when the request was really sent: a stall is charged to all
// who would have come meanwhile (no coordinated omission). If the sender itself was late (p99 of
// its lag over 1 ms, or 5 % of the median latency) or sent under 99 %, there is no result but an
// error that says by how much. Percentiles come from log-linear histograms, right to 3 digits; a
// percentile with under 100 samples beyond it gets the ending _unstable.
//
// Load generator and subject share this process and its cores: leave the sender one. The model of
// spin counts CPU time, so a thread that was preempted has not computed.
//
// Keys of run: LOAD.per_s .p50_ms .p90_ms .p99_ms .p999_ms .refused_share .mean_batch (where the
// subject tells it) .offered_per_s .send_lag_p99_us, LOAD being closedN or openRATE; for a mix also
// LOAD.TENANT.share .per_s .p50_ms .... Keys of sweep: SETTING.saturated.* and SETTING.openRATE.*,
// SETTING being batchB.instancesI.threadsT, and .waitWus for a fixed window. KEY.repeats holds
// every repeat; compare tests them (Mann-Whitney) before it calls anything a change.
#include <aiserve/core/error.hpp>

#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "tuner/commands.hpp"
#include "tuner/measuring.hpp"
#include "tuner/usage_error.hpp"

namespace {

int dispatch(const tuner::Arguments& arguments, const std::string& command_line) {
  switch (arguments.command) {
    case tuner::Command::run:
      return tuner::run_command(arguments, command_line);
    case tuner::Command::sweep:
      return tuner::sweep_command(arguments, command_line);
    case tuner::Command::compare:
      return tuner::compare_command(arguments);
    case tuner::Command::help:
      break;
  }
  fmt::print("{}", tuner::help_text());
  return 0;
}

int refuse(const std::exception& error, int status) {
  fmt::print(stderr, "aiserve-bench: {}\n", error.what());
  return status;
}

}  // namespace

int main(int argc, char** argv) try {
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  std::string command_line = "aiserve-bench";
  for (const std::string_view word : words) command_line += " " + std::string(word);
  return dispatch(tuner::parse_arguments(words), command_line);
} catch (const tuner::UsageError& error) {
  return refuse(error, 2);
} catch (const aiserve::ConfigError& error) {
  return refuse(error, 2);
} catch (const std::exception& error) {
  return refuse(error, 1);
}
