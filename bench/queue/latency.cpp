// queue.sqlite.enqueue_p50_vs_bare, queue.sqlite.pickup_ms_*
#include <atomic>

#include "queue/groups.hpp"
#include "queue/limit.hpp"
#include "queue/subject.hpp"

namespace bench {

using namespace aiserve;

namespace {

std::vector<double> enqueue_seconds(int count) {
  const Folder folder;
  Subject subject(
      folder.file("jobs.db"), {.concurrency = 0},
      [](const Context&, const Job&) -> Async<JobOutcome> { co_return JobOutcome::done(); });
  subject.runtime.start();
  std::vector<double> seconds;
  const auto produce = [&](const Context& ctx) -> Async<void> {
    const Bytes input;
    for (int i = 0; i < count; ++i) {
      const Clock::time_point begin = Clock::now();
      const Result<Enqueued> made = co_await subject.jobs.enqueue(ctx, kKind, input);
      if (!made) co_return made.error();
      seconds.push_back(seconds_since(begin));
    }
    co_return success();
  };
  const Context ctx = subject.tenant("t");
  if (!block_on(subject.runtime, produce(ctx))) throw std::runtime_error("enqueue failed");
  return seconds;
}

}  // namespace

std::vector<double> pickup_seconds(const OpenStore& open, int count) {
  std::atomic<Clock::rep> started{0};
  Subject subject(open, {.concurrency = 4}, [&](const Context&, const Job&) -> Async<JobOutcome> {
    started.store(Clock::now().time_since_epoch().count());
    started.notify_one();
    co_return JobOutcome::done();
  });
  subject.runtime.start();
  const Context ctx = subject.tenant("t");
  const Bytes input;
  std::vector<double> seconds;
  for (int i = 0; i < count; ++i) {
    started.store(0);
    if (!block_on(subject.runtime, subject.jobs.enqueue(ctx, kKind, input))) {
      throw std::runtime_error("enqueue failed");
    }
    const Clock::time_point acknowledged = Clock::now();
    started.wait(0);
    const Clock::time_point begun{Clock::duration(started.load())};
    seconds.push_back(std::max(0.0, std::chrono::duration<double>(begun - acknowledged).count()));
  }
  return seconds;
}

Group enqueue_group(const Options& options) {
  const int count = options.quick ? 500 : 5000;
  return {.name = "enqueue",
          .keys = {{.name = "queue.sqlite.enqueue_p50_vs_bare", .unit = "ratio", .at_most = 1.5},
                   {.name = "queue.sqlite.enqueue_us_p50", .unit = "us"}},
          .round = [count](Sample& sample) {
            const Folder folder;
            const double bare = percentile(bare_commit_seconds(folder.file("b.db"), count), 0.5);
            const double ours = percentile(enqueue_seconds(count), 0.5);
            sample.set("queue.sqlite.enqueue_us_p50", ours * 1e6);
            sample.set("queue.sqlite.enqueue_p50_vs_bare", ours / bare);
          }};
}

Group pickup_group(const Options& options) {
  const int count = options.quick ? 1000 : 10'000;
  return {.name = "pickup",
          .keys = {{.name = "queue.sqlite.pickup_ms_p50", .unit = "ms", .at_most = 1},
                   {.name = "queue.sqlite.pickup_ms_p99", .unit = "ms", .at_most = 5}},
          .round = [count](Sample& sample) {
            const Folder folder;
            const std::vector<double> seconds =
                pickup_seconds(in_file(folder.file("jobs.db")), count);
            sample.set("queue.sqlite.pickup_ms_p50", percentile(seconds, 0.5) * 1e3);
            sample.set_percentile("queue.sqlite.pickup_ms_p99", percentile(seconds, 0.99) * 1e3,
                                  static_cast<double>(seconds.size()) / 100);
          }};
}

}  // namespace bench
