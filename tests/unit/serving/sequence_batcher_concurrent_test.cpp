#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "aiserve/core/runtime.hpp"
#include "aiserve/core/telemetry.hpp"
#include "unit/serving/running_sum.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using aiserve::testing::RunningSum;

namespace {

struct Service {
  explicit Service(SequenceOptions options = {}, RuntimeOptions runtime_options = {})
      : runtime([&] {
          runtime_options.io_threads = 2;
          runtime_options.telemetry = &telemetry;
          return runtime_options;
        }()),
        sequences(runtime, sum.model, RunningSum::options(std::move(options))) {}

  Telemetry telemetry{{.log_sink = [](LogLevel, std::string_view) {}}};
  RunningSum sum{2};
  Runtime runtime;
  SequenceBatcher sequences;
};

/// Counts coroutines that have ended.
class Finish {
 public:
  void one() {
    const std::scoped_lock lock(mutex_);
    ++ended_;
    changed_.notify_all();
  }
  void wait_for(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ended_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int ended_ = 0;
};

float value_at(int sequence, int step) { return static_cast<float>(sequence * 31 + step); }

}  // namespace

TEST_CASE("over two instances every step of many sequences gives what a solo run gives") {
  constexpr int kSequences = 64;
  constexpr int kSteps = 25;
  Service service({.batcher = {.max_queue = 10'000}});
  service.runtime.start();
  Finish finish;
  std::atomic<int> right{0};
  const auto run = [&](const Context& ctx, const int& sequence) -> Async<void> {
    const SequenceId id(static_cast<std::uint64_t>(sequence));
    double sum = 0;
    for (int i = 0; i < kSteps; ++i) {
      const TensorSet inputs = RunningSum::input(value_at(sequence, i));
      const SequenceStep flags{.start = i == 0, .end = i == kSteps - 1};
      const Result<TensorSet> outputs = co_await service.sequences.step(ctx, id, inputs, flags);
      if (!outputs) break;
      sum = RunningSum::next(sum, value_at(sequence, i));
      right += outputs->find("seen")->data<float>()[0] == static_cast<float>(sum) ? 1 : 0;
    }
    finish.one();
    co_return success();
  };
  for (int i = 0; i < kSequences; ++i) spawn(service.runtime, Context::background(), run, i);
  finish.wait_for(kSequences);
  CHECK(right == kSequences * kSteps);
  CHECK(service.sequences.snapshot().active == 0);
  CHECK(service.sequences.snapshot().started == kSequences);
  const std::scoped_lock lock(service.sum.mutex);
  CHECK(*std::max_element(service.sum.batch_sizes.begin(), service.sum.batch_sizes.end()) > 1);
}

TEST_CASE("steps of one sequence from several threads run one at a time and none is lost") {
  constexpr int kThreads = 4;
  constexpr int kSteps = 50;
  Service service({.max_waiting = 4096});
  service.runtime.start();
  const SequenceId id("shared");
  const auto step = [&](const Context& ctx, const TensorSet& inputs, SequenceStep flags) {
    return service.sequences.step(ctx, id, inputs, flags);
  };
  const TensorSet zero = RunningSum::input(0);
  const TensorSet one = RunningSum::input(1);
  block_on(service.runtime, step(Context::background(), zero, {.start = true})).value();
  std::mutex mutex;
  std::multiset<float> seen;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kSteps; ++i) {
        const TensorSet outputs =
            block_on(service.runtime, step(Context::background(), one, {})).value();
        const std::scoped_lock lock(mutex);
        seen.insert(outputs.find("seen")->data<float>()[0]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::multiset<float> expected;
  double sum = 0;
  for (int i = 0; i < kThreads * kSteps; ++i) {
    sum = RunningSum::next(sum, 1);
    expected.insert(static_cast<float>(sum));
  }
  CHECK(seen == expected);
}

TEST_CASE("cancelling steps from another thread never tears a sequence") {
  constexpr int kSteps = 400;
  Service service({.max_waiting = 4096});
  service.runtime.start();
  const SequenceId id("torn");
  const TensorSet first = RunningSum::input(0);
  block_on(service.runtime,
           service.sequences.step(Context::background(), id, first, SequenceStep{.start = true}))
      .value();
  Finish finish;
  std::atomic<int> succeeded{0};
  std::atomic<int> others{0};
  const auto run = [&](const Context& ctx, const int&) -> Async<void> {
    const TensorSet one = RunningSum::input(1);
    const Result<TensorSet> outputs = co_await service.sequences.step(ctx, id, one);
    succeeded += outputs.ok() ? 1 : 0;
    others += !outputs && outputs.error().code() != Errc::cancelled ? 1 : 0;
    finish.one();
    co_return success();
  };
  std::vector<Context> contexts;
  for (int i = 0; i < kSteps; ++i) contexts.emplace_back(ContextOptions{});
  std::thread canceller([&] {
    for (std::size_t i = 0; i < contexts.size(); i += 2) contexts[i].cancel(CancelReason::user);
  });
  for (const Context& ctx : contexts) spawn(service.runtime, ctx, run, 0);
  canceller.join();
  finish.wait_for(kSteps);
  CHECK(others == 0);
  CHECK(succeeded >= kSteps / 2);
  // As many steps as there were answers, no more and no fewer.
  double sum = 0;
  for (int i = 0; i <= succeeded; ++i) sum = RunningSum::next(sum, 1);
  const TensorSet last = RunningSum::input(1);
  const TensorSet outputs =
      block_on(service.runtime, service.sequences.step(Context::background(), id, last)).value();
  CHECK(outputs.find("seen")->data<float>()[0] == static_cast<float>(sum));
  CHECK(service.sequences.snapshot().waiting == 0);
  CHECK(service.sequences.snapshot().stepping == 0);
}

TEST_CASE("a shutdown out of patience ends the steps that wait with cancelled") {
  std::promise<void> inside, open;
  std::shared_future<void> opened = open.get_future().share();
  Service service({}, {.drain_timeout = 10ms});
  service.sum.gate = [&](Batch&) {
    inside.set_value();
    opened.wait();
  };
  service.runtime.start();
  Finish waiting;
  std::atomic<int> cancelled{0};
  const auto run = [&](const Context& ctx, const int& number) -> Async<void> {
    const SequenceId id("held");
    const TensorSet one = RunningSum::input(1);
    const SequenceStep flags{.start = number == 0};
    const Result<TensorSet> outputs = co_await service.sequences.step(ctx, id, one, flags);
    if (number == 0) co_return success();
    cancelled += !outputs && outputs.error().code() == Errc::cancelled ? 1 : 0;
    waiting.one();
    co_return success();
  };
  spawn(service.runtime, Context::background(), run, 0);
  inside.get_future().wait();
  for (int i = 1; i <= 5; ++i) spawn(service.runtime, Context::background(), run, i);
  std::thread releaser([&] {
    waiting.wait_for(5);
    open.set_value();
  });
  service.runtime.shutdown();
  releaser.join();
  CHECK(cancelled == 5);
  CHECK(service.sum.computed == 1);
}

TEST_CASE("while draining the steps that wait are still computed and new ones refused") {
  constexpr float kHeld = 7;
  std::promise<void> inside, open;
  std::shared_future<void> opened = open.get_future().share();
  Service service;
  service.sum.gate = [&](Batch& batch) {
    if (batch.input<float>()[0] != kHeld) return;
    inside.set_value();
    opened.wait();
  };
  service.runtime.start();
  std::atomic<int> answered{0};
  const auto run = [&](const Context& ctx, const int& number) -> Async<void> {
    const SequenceId id("held");
    const TensorSet inputs = RunningSum::input(number == 0 ? kHeld : 1);
    const SequenceStep flags{.start = number == 0};
    const Result<TensorSet> outputs = co_await service.sequences.step(ctx, id, inputs, flags);
    answered += outputs.ok() ? 1 : 0;
    co_return success();
  };
  spawn(service.runtime, Context::background(), run, 0);
  inside.get_future().wait();
  for (int i = 1; i <= 5; ++i) spawn(service.runtime, Context::background(), run, i);
  std::thread shutdown([&] { service.runtime.shutdown(); });
  const SequenceId other("other");
  const TensorSet one = RunningSum::input(1);
  const auto refused = [&] {
    const SequenceStep start{.start = true};
    const Result<TensorSet> outputs =
        block_on(service.runtime, service.sequences.step(Context::background(), other, one, start));
    return !outputs && outputs.error().code() == Errc::unavailable;
  };
  while (!refused()) std::this_thread::yield();
  CHECK(answered == 0);
  open.set_value();
  shutdown.join();
  CHECK(answered == 6);
}
