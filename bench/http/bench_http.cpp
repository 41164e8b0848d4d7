// bench http: what an HTTP request costs the server process.
//
//   scripts/bench http [--only REGEX] [--json FILE] [--quick]
//
// One server thread, 64 keep-alive connections on loopback, closed loop. Servers and load generator
// (http_load) are processes of their own; CPU is the server's alone, read from /proc around each
// load. Floor and server take turns in each round. The floor is bench/rivals/epoll_floor.cpp: raw
// epoll, one read and one write per ready socket, almost no parsing.
//
// http.user_us.floor, .bare       user CPU per request of a POST of 200 B of JSON that comes back,
//                                 in us. The kernel samples user against system time at its tick,
//                                 which leaves some 0.05 us of noise.
// http.user_us_over_floor.bare    what the server adds to the floor. Bar 1.5.
// http.cpu_us.floor, .bare        user and system CPU of it
// http.cpu_ratio.bare_vs_floor    of total CPU, same round. Bar 1.2.
// http.pipelined16_cpu_ratio_vs_floor  GET of 13 B, 16 requests in one write per connection,
// answered
//                                 in order by a coroutine handler that completes at once: total CPU
//                                 per request over the floor's. Bar 2.0.
// http.pipelined16_cpu_us.floor, .bare  what lies behind it
// http.requests_per_s.floor, .bare  of the POST; the load generator has the other core
#include <cstdio>
#include <memory>
#include <sstream>

#include "harness/bench.hpp"
#include "harness/process.hpp"

namespace {

using bench::Cpu;
using bench::Sample;

struct Cost {
  double user_us = 0;
  double cpu_us = 0;
  double per_second = 0;
};

// One server, alive over all rounds of its group.
class Subject {
 public:
  explicit Subject(const std::string& program) : program_(program) {}

  void start() {
    port_ = bench::free_port();
    server_ = std::make_unique<bench::Server>(bench::Command{program_, std::to_string(port_)});
    server_->wait_for_port(port_);
  }
  void stop() { server_.reset(); }

  Cost measure(std::uint64_t requests, const bench::Command& shape) {
    run_load(requests / 20, shape);  // warm
    const Cpu before = server_->cpu();
    const double per_second = run_load(requests, shape);
    const Cpu used = server_->cpu() - before;
    const double scale = 1e6 / static_cast<double>(requests);
    return {used.user * scale, used.total * scale, per_second};
  }

 private:
  double run_load(std::uint64_t requests, const bench::Command& shape) const {
    bench::Command command{BENCH_LOAD, std::to_string(port_), "--requests",
                           std::to_string(requests)};
    command.insert(command.end(), shape.begin(), shape.end());
    std::istringstream line(bench::run_checked(command).output);
    double answered = 0;
    double seconds = 0;
    double per_second = 0;
    line >> answered >> seconds >> per_second;
    return per_second;
  }

  std::string program_;
  std::uint16_t port_ = 0;
  std::unique_ptr<bench::Server> server_;
};

struct Subjects {
  Subject floor{BENCH_FLOOR};
  Subject bare{BENCH_BARE};
};

bench::Group group(std::string name, std::vector<bench::Key> keys,
                   const std::function<void(Sample&, Subjects&)>& round) {
  const auto subjects = std::make_shared<Subjects>();
  return {.name = std::move(name),
          .keys = std::move(keys),
          .begin =
              [subjects] {
                subjects->floor.start();
                subjects->bare.start();
              },
          .round = [subjects, round](Sample& sample) { round(sample, *subjects); },
          .end =
              [subjects] {
                subjects->floor.stop();
                subjects->bare.stop();
              }};
}

bench::Group post_group(std::uint64_t requests) {
  return group("http.post",
               {{.name = "http.user_us.floor", .unit = "us"},
                {.name = "http.user_us.bare", .unit = "us"},
                {.name = "http.user_us_over_floor.bare", .unit = "us", .at_most = 1.5},
                {.name = "http.cpu_us.floor", .unit = "us"},
                {.name = "http.cpu_us.bare", .unit = "us"},
                {.name = "http.cpu_ratio.bare_vs_floor", .unit = "ratio", .at_most = 1.2},
                {.name = "http.requests_per_s.floor", .unit = "/s"},
                {.name = "http.requests_per_s.bare", .unit = "/s"}},
               [requests](Sample& sample, Subjects& subjects) {
                 const bench::Command shape{"--post", "200"};
                 const Cost floor = subjects.floor.measure(requests, shape);
                 const Cost bare = subjects.bare.measure(requests, shape);
                 sample.set("http.user_us.floor", floor.user_us);
                 sample.set("http.user_us.bare", bare.user_us);
                 sample.set("http.user_us_over_floor.bare", bare.user_us - floor.user_us);
                 sample.set("http.cpu_us.floor", floor.cpu_us);
                 sample.set("http.cpu_us.bare", bare.cpu_us);
                 sample.set("http.cpu_ratio.bare_vs_floor", bare.cpu_us / floor.cpu_us);
                 sample.set("http.requests_per_s.floor", floor.per_second);
                 sample.set("http.requests_per_s.bare", bare.per_second);
               });
}

bench::Group pipelined_group(std::uint64_t requests) {
  return group("http.pipelined16",
               {{.name = "http.pipelined16_cpu_ratio_vs_floor", .unit = "ratio", .at_most = 2.0},
                {.name = "http.pipelined16_cpu_us.floor", .unit = "us"},
                {.name = "http.pipelined16_cpu_us.bare", .unit = "us"}},
               [requests](Sample& sample, Subjects& subjects) {
                 const bench::Command shape{"--depth", "16"};
                 const Cost floor = subjects.floor.measure(requests, shape);
                 const Cost bare = subjects.bare.measure(requests, shape);
                 sample.set("http.pipelined16_cpu_ratio_vs_floor", bare.cpu_us / floor.cpu_us);
                 sample.set("http.pipelined16_cpu_us.floor", floor.cpu_us);
                 sample.set("http.pipelined16_cpu_us.bare", bare.cpu_us);
               });
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options = bench::parse_options(argc, argv);
  const std::uint64_t scale = options.quick ? 1 : 3;
  return bench::run(options, {post_group(200'000 * scale), pipelined_group(1'000'000 * scale)});
}
