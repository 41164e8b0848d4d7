// http.json: a typed handler of ours and FastAPI with Pydantic take turns in each round.
#include <memory>

#include "http/groups.hpp"
#include "http/rivals.hpp"
#include "http/subject.hpp"

namespace bench {
namespace {

struct Subjects {
  Subject ours{{BENCH_TYPED, "@PORT@"}};
  std::unique_ptr<Subject> fastapi;
};

}  // namespace

std::vector<Group> typed_groups(const Options& options) {
  const std::uint64_t scale = options.quick ? 1 : 3;
  const auto subjects = std::make_shared<Subjects>();
  return {{.name = "http.json",
           .keys = {{.name = "http.json_cpu_ratio_vs_fastapi", .unit = "ratio", .at_least = 30},
                    {.name = "http.json_cpu_us.fastapi", .unit = "us"},
                    {.name = "http.json_cpu_us.typed", .unit = "us"},
                    {.name = "http.json_user_us.typed", .unit = "us"}},
           .begin =
               [subjects] {
                 subjects->fastapi = std::make_unique<Subject>(rivals::fastapi());
                 subjects->fastapi->start();
                 subjects->ours.start();
               },
           .round =
               [subjects, scale](Sample& sample) {
                 const Command shape{"--post", "200"};
                 const Cost theirs = subjects->fastapi->http(3'000 * scale, shape);
                 const Cost ours = subjects->ours.http(100'000 * scale, shape);
                 sample.set("http.json_cpu_ratio_vs_fastapi", theirs.cpu_us / ours.cpu_us);
                 sample.set("http.json_cpu_us.fastapi", theirs.cpu_us);
                 sample.set("http.json_cpu_us.typed", ours.cpu_us);
                 sample.set("http.json_user_us.typed", ours.user_us);
               },
           .end =
               [subjects] {
                 subjects->fastapi.reset();
                 subjects->ours.stop();
               }}};
}

}  // namespace bench
