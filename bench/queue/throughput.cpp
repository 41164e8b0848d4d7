// queue.sqlite.lifecycle_*, queue.sqlite.backlog_ratio
#include <atomic>

#include "queue/groups.hpp"
#include "queue/limit.hpp"
#include "queue/subject.hpp"

namespace bench {

using namespace aiserve;

constexpr int kInFlight = 64;

JobHandler counting(Countdown& ended) {
  return [&ended](const Context&, const Job&) -> Async<JobOutcome> {
    ended.count();
    co_return JobOutcome::done();
  };
}

void wait_until_recorded(Subject& subject, const Context& ctx) {
  if (!block_on(subject.runtime, subject.jobs.drain(ctx))) throw std::runtime_error("no drain");
}

double lifecycle_per_s(const OpenStore& open, int count) {
  Countdown ended(count);
  std::atomic<int> left{count};
  Subject subject(open, {.concurrency = kInFlight}, counting(ended));
  subject.runtime.start();
  const Context ctx = subject.tenant("t");
  const Clock::time_point begin = Clock::now();
  const auto produce = [&subject, &left](const Context& own) -> Async<void> {
    const Bytes input;
    while (left.fetch_sub(1) > 0) {
      const Result<Enqueued> made = co_await subject.jobs.enqueue(own, kKind, input);
      if (!made) co_return made.error();
    }
    co_return success();
  };
  for (int i = 0; i < kInFlight; ++i) spawn(subject.runtime, ctx, produce);
  ended.wait();
  wait_until_recorded(subject, ctx);
  return count / seconds_since(begin);
}

double drain_per_s(const OpenStore& open, std::size_t waiting, int count) {
  Countdown ended(count);
  Subject subject(open, {.concurrency = kInFlight, .max_waiting = 10'000'000}, counting(ended));
  subject.jobs.pause();
  subject.runtime.start();
  const Context ctx = subject.tenant("t");
  subject.enqueue(ctx, waiting);
  const Clock::time_point begin = Clock::now();
  subject.jobs.resume();
  ended.wait();
  const double rate = count / seconds_since(begin);
  wait_until_recorded(subject, ctx);
  return rate;
}

Group lifecycle_group(const Options& options) {
  const int count = options.quick ? 10'000 : 50'000;
  return {
      .name = "lifecycle",
      .keys = {{.name = "queue.sqlite.lifecycle_per_s", .unit = "jobs/s"},
               {.name = "queue.sqlite.limit_per_s", .unit = "jobs/s"},
               {.name = "queue.sqlite.lifecycle_ratio_vs_limit", .unit = "ratio", .at_least = 0.7}},
      .round = [count](Sample& sample) {
        const Folder folder;
        const double limit = limit_jobs_per_s(folder.file("limit.db"), count, kInFlight);
        const double ours = lifecycle_per_s(in_file(folder.file("jobs.db")), count);
        sample.set("queue.sqlite.limit_per_s", limit);
        sample.set("queue.sqlite.lifecycle_per_s", ours);
        sample.set("queue.sqlite.lifecycle_ratio_vs_limit", ours / limit);
      }};
}

Group backlog_group(const Options& options) {
  const std::size_t many = options.quick ? 100'000 : 1'000'000;
  return {.name = "backlog",
          .keys = {{.name = "queue.sqlite.backlog_ratio", .unit = "ratio", .at_least = 0.8}},
          .round = [many](Sample& sample) {
            constexpr int kFew = 1000;
            const Folder folder;
            const double deep = drain_per_s(in_file(folder.file("deep.db")), many, kFew);
            const double shallow = drain_per_s(in_file(folder.file("shallow.db")), kFew, kFew);
            sample.set("queue.sqlite.backlog_ratio", deep / shallow);
          }};
}

}  // namespace bench
