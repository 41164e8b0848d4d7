// http.PEER.*: the same POST of 200 B of JSON to other servers, each beside ours in every round.
#include <memory>
#include <stdexcept>

#include "http/groups.hpp"
#include "http/rivals.hpp"
#include "http/subject.hpp"

namespace bench {
namespace {

struct Peer {
  std::string name;
  std::uint64_t requests = 0;
  std::function<Command()> command;  // throws when it is not there
};

struct State {
  std::unique_ptr<Subject> ours;
  std::unique_ptr<Subject> peer;
};

Group group(const Peer& peer) {
  const auto state = std::make_shared<State>();
  const std::string prefix = "http." + peer.name;
  return {.name = prefix,
          .keys = {{.name = prefix + ".cpu_us", .unit = "us"},
                   {.name = prefix + ".requests_per_s", .unit = "/s"},
                   {.name = prefix + ".cpu_ratio_vs_ours", .unit = "ratio"}},
          .begin =
              [=] {
                state->peer = std::make_unique<Subject>(peer.command());
                state->peer->start();
                state->ours = std::make_unique<Subject>(Command{BENCH_BARE, "@PORT@"});
                state->ours->start();
              },
          .round =
              [=](Sample& sample) {
                const Command shape{"--post", "200"};
                const Cost theirs = state->peer->http(peer.requests, shape);
                const Cost ours = state->ours->http(peer.requests, shape);
                sample.set(prefix + ".cpu_us", theirs.cpu_us);
                sample.set(prefix + ".requests_per_s", theirs.per_second);
                sample.set(prefix + ".cpu_ratio_vs_ours", theirs.cpu_us / ours.cpu_us);
              },
          .end = [=] { *state = State(); }};
}

}  // namespace

std::vector<Group> peer_groups(const Options& options) {
  const std::uint64_t scale = options.quick ? 1 : 3;
  return {group({"nginx", 100'000 * scale, rivals::nginx}),
          group({"cpp_httplib", 50'000 * scale, rivals::cpp_httplib}),
          group({"fastify", 20'000 * scale, rivals::fastify}),
          group({"fastapi", 3'000 * scale, rivals::fastapi})};
}

}  // namespace bench
