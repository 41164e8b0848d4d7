// http.post, http.pipelined16: our server and the epoll floor take turns in each round.
#include <memory>

#include "http/groups.hpp"
#include "http/subject.hpp"

namespace bench {
namespace {

struct Subjects {
  Subject floor{{BENCH_FLOOR, "@PORT@"}};
  Subject bare{{BENCH_BARE, "@PORT@"}};
};

Group group(std::string name, std::vector<Key> keys,
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

Group post_group(std::uint64_t requests) {
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
                 const Command shape{"--post", "200"};
                 const Cost floor = subjects.floor.http(requests, shape);
                 const Cost bare = subjects.bare.http(requests, shape);
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

Group pipelined_group(std::uint64_t requests) {
  return group("http.pipelined16",
               {{.name = "http.pipelined16_cpu_ratio_vs_floor", .unit = "ratio", .at_most = 2.0},
                {.name = "http.pipelined16_suspending_cpu_ratio", .unit = "ratio", .at_most = 3.5},
                {.name = "http.pipelined16_cpu_us.floor", .unit = "us"},
                {.name = "http.pipelined16_cpu_us.bare", .unit = "us"},
                {.name = "http.pipelined16_cpu_us.suspending", .unit = "us"}},
               [requests](Sample& sample, Subjects& subjects) {
                 const Cost floor = subjects.floor.http(requests, {"--depth", "16"});
                 const Cost bare = subjects.bare.http(requests, {"--depth", "16"});
                 const Cost suspending =
                     subjects.bare.http(requests, {"--depth", "16", "--path", "/suspending"});
                 sample.set("http.pipelined16_cpu_ratio_vs_floor", bare.cpu_us / floor.cpu_us);
                 sample.set("http.pipelined16_suspending_cpu_ratio",
                            suspending.cpu_us / floor.cpu_us);
                 sample.set("http.pipelined16_cpu_us.floor", floor.cpu_us);
                 sample.set("http.pipelined16_cpu_us.bare", bare.cpu_us);
                 sample.set("http.pipelined16_cpu_us.suspending", suspending.cpu_us);
               });
}

}  // namespace

std::vector<Group> request_groups(const Options& options) {
  const std::uint64_t scale = options.quick ? 1 : 3;
  return {post_group(200'000 * scale), pipelined_group(1'000'000 * scale)};
}

}  // namespace bench
