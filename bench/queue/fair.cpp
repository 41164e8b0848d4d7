// queue.fair.quiet_p99_ratio
#include <mutex>

#include "queue/groups.hpp"
#include "queue/subject.hpp"

namespace bench {

using namespace aiserve;
using namespace std::chrono_literals;

namespace {

/// Waits of the quiet tenant's jobs, from before their enqueue() to their start, with so many jobs
/// of a loud one before them.
std::vector<double> quiet_waits(std::size_t loud, int count) {
  const Folder folder;
  Countdown ended(count);
  std::mutex mutex;
  std::vector<double> waits;
  const auto handler = [&](const Context& ctx, const Job& job) -> Async<JobOutcome> {
    if (!job.input().empty()) {
      const auto sent = Clock::duration(std::stoll(job.input().to_string()));
      const std::scoped_lock lock(mutex);
      waits.push_back(seconds_since(Clock::time_point(sent)));
    }
    const Result<void> slept = co_await sleep(ctx, 1ms);
    if (!job.input().empty()) ended.count();
    co_return JobOutcome::from(slept);
  };
  Subject subject(folder.file("jobs.db"), {.concurrency = 4, .max_waiting = 1'000'000}, handler);
  subject.runtime.start();
  subject.enqueue(subject.tenant("loud"), loud);
  const auto submit = [&](const Context& ctx) -> Async<void> {
    for (int i = 0; i < count; ++i) {
      const auto now = Clock::now().time_since_epoch().count();
      const Bytes input = Bytes::copy(std::to_string(now));
      const Result<Enqueued> made = co_await subject.jobs.enqueue(ctx, kKind, input);
      if (!made) co_return made.error();
      const Result<void> slept = co_await sleep(ctx, 10ms);
      if (!slept) co_return slept.error();
    }
    co_return success();
  };
  const Context quiet = subject.tenant("quiet");
  if (!block_on(subject.runtime, submit(quiet))) throw std::runtime_error("enqueue failed");
  ended.wait();
  return waits;
}

}  // namespace

Group fair_group(const Options& options) {
  const std::size_t loud = options.quick ? 20'000 : 100'000;
  return {.name = "fair",
          .keys = {{.name = "queue.fair.quiet_p99_ratio", .unit = "ratio", .at_most = 2},
                   {.name = "queue.fair.quiet_p99_ms", .unit = "ms"},
                   {.name = "queue.fair.alone_p99_ms", .unit = "ms"}},
          .round = [loud](Sample& sample) {
            constexpr int kCount = 1000;
            const double alone = percentile(quiet_waits(0, kCount), 0.99);
            const double beside = percentile(quiet_waits(loud, kCount), 0.99);
            sample.set("queue.fair.alone_p99_ms", alone * 1e3);
            sample.set("queue.fair.quiet_p99_ms", beside * 1e3);
            sample.set("queue.fair.quiet_p99_ratio", beside / alone);
          }};
}

}  // namespace bench
