// ws.rate_*: a WebSocket echo of 32 bytes on 64 connections, ours and npm's ws in turn.
#include <memory>
#include <sstream>

#include "http/groups.hpp"
#include "http/rivals.hpp"
#include "http/subject.hpp"

namespace bench {
namespace {

double echo_rate(const Subject& subject, std::uint64_t messages, int window) {
  const Command command{BENCH_WS_LOAD, std::to_string(subject.port()),
                        "--messages",  std::to_string(messages),
                        "--window",    std::to_string(window)};
  std::istringstream line(run_checked(command).output);
  double echoed = 0;
  double seconds = 0;
  double per_second = 0;
  line >> echoed >> seconds >> per_second;
  return per_second;
}

struct State {
  std::unique_ptr<Subject> ours;
  std::unique_ptr<Subject> theirs;
};

Group group(int window, double bar, std::uint64_t messages) {
  const auto state = std::make_shared<State>();
  const std::string suffix = ".w" + std::to_string(window);
  return {.name = "ws.rate" + suffix,
          .keys = {{.name = "ws.rate_ratio_vs_npm_ws" + suffix, .unit = "ratio", .at_least = bar},
                   {.name = "ws.rate.ours" + suffix, .unit = "/s"},
                   {.name = "ws.rate.npm_ws" + suffix, .unit = "/s"}},
          .begin =
              [=] {
                state->theirs = std::make_unique<Subject>(rivals::npm_ws());
                state->theirs->start();
                state->ours = std::make_unique<Subject>(Command{BENCH_BARE, "@PORT@"});
                state->ours->start();
              },
          .round =
              [=](Sample& sample) {
                const double ours = echo_rate(*state->ours, messages * 4, window);
                const double theirs = echo_rate(*state->theirs, messages, window);
                sample.set("ws.rate_ratio_vs_npm_ws" + suffix, ours / theirs);
                sample.set("ws.rate.ours" + suffix, ours);
                sample.set("ws.rate.npm_ws" + suffix, theirs);
              },
          .end = [=] { *state = State(); }};
}

}  // namespace

std::vector<Group> websocket_groups(const Options& options) {
  const std::uint64_t scale = options.quick ? 1 : 3;
  return {group(1, 2, 50'000 * scale), group(16, 12, 100'000 * scale)};
}

}  // namespace bench
