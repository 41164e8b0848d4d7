#include <condition_variable>
#include <thread>

#include <doctest/doctest.h>

#include "aiserve/core/runtime.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/testing/manual_clock.hpp"
#include "unit/serving/doubler.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using aiserve::testing::Doubler;

namespace {

struct Service {
  explicit Service(int instances = 1, BatcherOptions batcher_options = {},
                   RuntimeOptions runtime_options = {})
      : doubler(instances),
        runtime([&] {
          runtime_options.telemetry = &telemetry;
          return runtime_options;
        }()),
        batcher(runtime, doubler.model, std::move(batcher_options)) {}

  Telemetry telemetry{{.log_sink = [](LogLevel, std::string_view) {}}};
  Doubler doubler;
  Runtime runtime;
  Batcher batcher;
};

/// Holds the model inside a batch until release().
struct Latch {
  void hold(Batch&) {
    std::unique_lock lock(mutex);
    ++inside;
    changed.notify_all();
    changed.wait(lock, [this] { return open; });
  }
  void wait_inside(int count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return inside >= count; });
  }
  void release() {
    const std::scoped_lock lock(mutex);
    open = true;
    changed.notify_all();
  }
  std::mutex mutex;
  std::condition_variable changed;
  int inside = 0;
  bool open = false;
};

struct Answers {
  Batcher::Callback next() {
    return [this](Result<Inference> result) {
      const std::scoped_lock lock(mutex);
      results.push_back(std::move(result));
      changed.notify_all();
    };
  }
  void wait_for(std::size_t count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return results.size() >= count; });
  }
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Result<Inference>> results;
};

}  // namespace

TEST_CASE("every request of many threads gets its own answer") {
  Service service(2, {.max_queue = 10'000}, {.io_threads = 2});
  service.runtime.start();
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        const auto value = static_cast<float>(t * 1000 + i);
        const Tensor input = Doubler::input(value);
        const Result<Tensor> output =
            block_on(service.runtime, service.batcher.infer(Context::background(), input));
        right += output.value().data<float>()[0] == 2 * value ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(right == 400);
  CHECK(service.doubler.computed == 400);
}

TEST_CASE("while the instance is busy the queue builds the next batch") {
  Latch latch;
  Service service;
  service.doubler.gate = [&](Batch& batch) { latch.hold(batch); };
  service.runtime.start();
  Answers answers;
  service.batcher.submit(Context::background(), Doubler::input(0), answers.next());
  latch.wait_inside(1);
  for (int i = 1; i < 8; ++i) {
    service.batcher.submit(Context::background(), Doubler::input(static_cast<float>(i)),
                           answers.next());
  }
  CHECK(service.batcher.snapshot().queued == 7);
  CHECK(service.batcher.snapshot().busy_instances == 1);
  latch.release();
  answers.wait_for(8);
  CHECK(service.doubler.batch_sizes == std::vector<std::size_t>{1, 7});
}

TEST_CASE("a request does not wait while another instance is idle") {
  Latch latch;
  Service service(2);
  service.doubler.gate = [&](Batch& batch) { latch.hold(batch); };
  service.runtime.start();
  Answers answers;
  service.batcher.submit(Context::background(), Doubler::input(1), answers.next());
  latch.wait_inside(1);
  service.batcher.submit(Context::background(), Doubler::input(2), answers.next());
  latch.wait_inside(2);  // the second instance took it while the first still computes
  latch.release();
  answers.wait_for(2);
  CHECK(service.doubler.batch_sizes == std::vector<std::size_t>{1, 1});
}

TEST_CASE("cancelled and expired requests leave the queue at once and never run") {
  Latch latch;
  aiserve::testing::ManualClock clock;
  Service service(1, {}, {.clock = &clock});
  service.doubler.gate = [&](Batch& batch) { latch.hold(batch); };
  service.runtime.start();
  Answers busy, gone;
  service.batcher.submit(Context::background(), Doubler::input(1), busy.next());
  latch.wait_inside(1);
  const Context cancelled{ContextOptions{}};
  const Context expiring{ContextOptions{.deadline = Deadline::after(clock.now(), 20ms)}};
  service.batcher.submit(cancelled, Doubler::input(2), gone.next());
  service.batcher.submit(expiring, Doubler::input(3), gone.next());
  CHECK(service.batcher.snapshot().queued == 2);
  cancelled.cancel(CancelReason::client_gone);
  clock.advance(20ms);
  gone.wait_for(2);
  CHECK(service.batcher.snapshot().queued == 0);
  latch.release();
  busy.wait_for(1);
  CHECK(service.doubler.computed == 1);
  const bool cancelled_first = gone.results[0].error().code() == Errc::cancelled;
  CHECK(gone.results[cancelled_first ? 1 : 0].error().code() == Errc::deadline_exceeded);
  CHECK(gone.results[cancelled_first ? 0 : 1].error().code() == Errc::cancelled);
}

TEST_CASE("a running model sees that a row was cancelled") {
  std::promise<void> cancelled_seen;
  Latch latch;
  Service service;
  service.doubler.gate = [&](Batch& batch) {
    latch.hold(batch);
    if (batch.cancelled(0)) cancelled_seen.set_value();
  };
  service.runtime.start();
  const Context ctx{ContextOptions{}};
  Answers answers;
  service.batcher.submit(ctx, Doubler::input(1), answers.next());
  latch.wait_inside(1);
  ctx.cancel(CancelReason::user);
  answers.wait_for(1);  // the caller does not wait for the model
  latch.release();
  cancelled_seen.get_future().wait();
  CHECK(answers.results[0].error().code() == Errc::cancelled);
}

TEST_CASE("a shutdown computes what is in flight when it has the time") {
  Service service;
  service.runtime.start();
  Answers answers;
  for (int i = 0; i < 100; ++i) {
    service.batcher.submit(Context::background(), Doubler::input(1), answers.next());
  }
  service.runtime.shutdown();
  REQUIRE(answers.results.size() == 100);
  for (const Result<Inference>& result : answers.results) CHECK(result.ok());
}

TEST_CASE("a shutdown out of patience completes what waits with cancelled") {
  Latch latch;
  Service service(1, {.max_queue = 64}, {.drain_timeout = 10ms});
  service.doubler.gate = [&](Batch& batch) { latch.hold(batch); };
  service.runtime.start();
  Answers running, waiting;
  service.batcher.submit(Context::background(), Doubler::input(1), running.next());
  latch.wait_inside(1);
  for (int i = 0; i < 10; ++i) {
    service.batcher.submit(Context::background(), Doubler::input(1), waiting.next());
  }
  std::thread releaser([&] {
    waiting.wait_for(10);
    latch.release();
  });
  service.runtime.shutdown();
  releaser.join();
  for (const Result<Inference>& result : waiting.results) {
    CHECK(result.error().code() == Errc::cancelled);
  }
  REQUIRE(running.results.size() == 1);
  CHECK(running.results[0].ok());
  CHECK(service.doubler.computed == 1);
}

TEST_CASE("readiness tells that instances are warming up") {
  struct SlowModel final : Model {
    explicit SlowModel(Latch& gate) : latch(gate) {}
    const Signature& signature() const noexcept override { return signature_; }
    const std::string& name() const noexcept override { return name_; }
    Result<std::unique_ptr<ModelInstance>> create_instance(int) override {
      struct Instance final : ModelInstance {
        explicit Instance(Latch& gate) : latch(gate) {}
        Result<void> run(Batch& batch) override {
          latch.hold(batch);
          return success();
        }
        Latch& latch;
      };
      return std::unique_ptr<ModelInstance>(std::make_unique<Instance>(latch));
    }
    Latch& latch;
    std::string name_ = "slow";
    Signature signature_{{TensorSpec("x", DType::f32, {-1, 1})},
                         {TensorSpec("y", DType::f32, {-1, 1})}};
  };
  Telemetry telemetry{{.log_sink = [](LogLevel, std::string_view) {}}};
  Latch latch;
  SlowModel model(latch);
  Runtime runtime({.telemetry = &telemetry});
  Batcher batcher(runtime, model);
  runtime.start();
  latch.wait_inside(1);
  const Readiness warming = runtime.readiness();
  CHECK_FALSE(warming.ready);
  REQUIRE(warming.reasons.size() == 1);
  CHECK(warming.reasons[0] == "batcher slow: 1 of 1 instances are warming up");
  latch.release();
  const Tensor input = Doubler::input(1);
  CHECK(block_on(runtime, batcher.infer(Context::background(), input)).ok());
  CHECK(runtime.readiness().ready);
}

TEST_CASE("cancelling from other threads while batches run loses and repeats nothing") {
  Service service(2, {.max_batch = 8, .max_queue = 100'000}, {.io_threads = 2});
  service.runtime.start();
  constexpr int kRequests = 2000;
  Answers answers;
  std::vector<Context> contexts;
  for (int i = 0; i < kRequests; ++i) contexts.emplace_back(ContextOptions{});
  std::thread canceller([&] {
    for (int i = 0; i < kRequests; i += 3)
      contexts[static_cast<std::size_t>(i)].cancel(CancelReason::user);
  });
  for (const Context& ctx : contexts) {
    service.batcher.submit(ctx, Doubler::input(1), answers.next());
  }
  canceller.join();
  answers.wait_for(kRequests);
  service.runtime.shutdown();
  CHECK(answers.results.size() == kRequests);
  CHECK(service.batcher.snapshot().in_flight == 0);
  int ok = 0;
  for (const Result<Inference>& result : answers.results) ok += result.ok() ? 1 : 0;
  CHECK(ok >= kRequests * 2 / 3 - 1);
  CHECK(service.doubler.computed >= ok);
}
