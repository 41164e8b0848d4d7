// What changes a Batcher while many threads use it.
#include <atomic>
#include <future>
#include <semaphore>
#include <thread>

#include <doctest/doctest.h>
#include <sched.h>

#include "aiserve/core/runtime.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/serving/compute_slots.hpp"
#include "aiserve/serving/typed_batcher.hpp"
#include "unit/serving/doubler.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using aiserve::testing::Doubler;

namespace {

TelemetryOptions silent() {
  return {.log_sink = [](LogLevel, std::string_view) {}};
}

/// Asks from `threads` threads until told to stop; counts what came back.
class Callers {
 public:
  Callers(Batcher& batcher, int threads) {
    for (int i = 0; i < threads; ++i) {
      threads_.emplace_back([this, &batcher] {
        while (!stop_) ask(batcher);
      });
    }
  }
  ~Callers() { stop(); }
  void stop() {
    stop_ = true;
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }
  void wait_for(int answers) const {
    while (answered < answers) std::this_thread::yield();
  }

  std::atomic<int> answered{0};
  std::atomic<int> wrong{0};

 private:
  void ask(Batcher& batcher) {
    const Tensor input = Doubler::input(1);
    const Result<Inference> result = batcher.submit(Context::background(), input).get();
    const bool right = result.ok() && (result->output().data<float>()[0] == 2 ||
                                       result->output().data<float>()[0] == 3);
    if (!right) ++wrong;
    ++answered;
  }

  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

}  // namespace

TEST_CASE("models are replaced under load again and again without a failed request") {
  Telemetry telemetry(silent());
  std::vector<std::unique_ptr<Doubler>> models;
  for (int i = 0; i < 6; ++i) {
    models.push_back(std::make_unique<Doubler>(2));
    models.back()->factor = i % 2 == 0 ? 2 : 3;
  }
  Runtime runtime({.io_threads = 2, .telemetry = &telemetry});
  Batcher batcher(runtime, models[0]->model, {.max_batch = 8});
  runtime.start();
  Callers callers(batcher, 4);
  for (std::size_t i = 1; i < models.size(); ++i) {
    callers.wait_for(callers.answered + 20);
    const auto replace = [&](const Context& ctx) { return batcher.replace(ctx, models[i]->model); };
    CHECK(block_on(runtime, replace(Context::background())).ok());
    models[i - 1].reset();  // nobody uses it any more
  }
  callers.wait_for(callers.answered + 20);
  callers.stop();
  CHECK(callers.wrong == 0);
  CHECK(batcher.snapshot().version == 6);
  runtime.shutdown();
}

TEST_CASE("knobs are turned and arrivals announced while requests come") {
  Telemetry telemetry(silent());
  Doubler doubler(2);
  Runtime runtime({.io_threads = 2, .telemetry = &telemetry});
  Batcher batcher(runtime, doubler.model, {.max_batch = 16, .instances = 2});
  runtime.start();
  Callers callers(batcher, 3);
  for (std::size_t i = 0; i < 100; ++i) {
    const Announcement soon = batcher.announce();
    CHECK(batcher
              .set({.max_batch = 1 + i % 16,
                    .active_instances = 1 + static_cast<int>(i % 2),
                    .latency_goal = i % 3 == 0 ? 0ms : 5ms})
              .ok());
    batcher.snapshot();
    runtime.status();
    callers.wait_for(callers.answered + 1);
  }
  callers.stop();
  CHECK(callers.wrong == 0);
  runtime.shutdown();
  CHECK(batcher.snapshot().in_flight == 0);
}

TEST_CASE("batchers that share a slot never run side by side and all finish") {
  Telemetry telemetry(silent());
  ComputeSlots slots(1);
  Doubler first(2), second(2);
  std::atomic<int> inside{0}, most{0};
  const auto count = [&](Batch&) {
    const int now = ++inside;
    int seen = most;
    while (now > seen && !most.compare_exchange_weak(seen, now)) {
    }
    --inside;
  };
  first.gate = count;
  second.gate = count;
  Runtime runtime({.telemetry = &telemetry});
  Batcher a(runtime, first.model, {.name = "a", .max_batch = 4, .slots = &slots});
  Batcher b(runtime, second.model,
            {.name = "b", .max_batch = 4, .slots = &slots, .slots_weight = 3});
  runtime.start();
  {
    Callers of_a(a, 2), of_b(b, 2);
    of_a.wait_for(300);
    of_b.wait_for(300);
    of_a.stop();
    of_b.stop();
    CHECK(of_a.wrong + of_b.wrong == 0);
  }
  CHECK(most == 1);
  runtime.shutdown();
  CHECK(slots.in_use() == 0);
}

TEST_CASE("typed requests of many threads and tenants each get their own answer") {
  Telemetry telemetry(silent());
  Runtime runtime({.io_threads = 2, .telemetry = &telemetry});
  TypedBatcher<int, int> squares(runtime, {.max_batch = 16, .instances = 2},
                                 [](std::span<const int> numbers) {
                                   std::vector<Result<int>> results;
                                   for (const int number : numbers) {
                                     if (number == 13) throw std::runtime_error("unlucky");
                                     results.emplace_back(number * number);
                                   }
                                   return results;
                                 });
  runtime.start();
  std::atomic<int> right{0}, unlucky{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const Context ctx(ContextOptions{
          .tenant = Tenant({.id = TenantId("t" + std::to_string(t)), .weight = 1.0 + t})});
      for (int i = 0; i < 50; ++i) {
        const Result<int> square = squares.submit(ctx, i).get();
        if (square.ok()) right += *square == i * i ? 1 : 0;
        if (!square.ok()) ++unlucky;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  runtime.shutdown();
  CHECK(right == 4 * 49);
  CHECK(unlucky == 4);
}

TEST_CASE("groups are cancelled from other threads while their batches run") {
  Telemetry telemetry(silent());
  Doubler doubler(2);
  Runtime runtime({.io_threads = 2, .telemetry = &telemetry});
  Batcher batcher(runtime, doubler.model, {.max_batch = 8, .max_queue = 10'000});
  runtime.start();
  std::vector<std::thread> threads;
  std::atomic<int> outcomes{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        const Context ctx{ContextOptions{}};
        std::thread canceller([&] {
          if ((i + t) % 2 == 0) ctx.cancel(CancelReason::user);
        });
        const std::vector<Tensor> inputs(12, Doubler::input(1));
        const Grouping grouping = i % 3 == 0 ? Grouping::split : Grouping::together;
        auto outputs = block_on(runtime, batcher.infer_many(ctx, inputs, grouping));
        if (outputs.ok()) outcomes += static_cast<int>(outputs->size());
        if (!outputs.ok()) outcomes += 12;
        canceller.join();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(outcomes == 4 * 25 * 12);
  runtime.shutdown();
  CHECK(batcher.snapshot().in_flight == 0);
  CHECK(batcher.snapshot().queued == 0);
}

TEST_CASE("a call past its hard limit is logged with the ids of its requests, once") {
  std::promise<std::string> logged;
  std::atomic<int> lines{0};
  Telemetry telemetry({.log_sink = [&](LogLevel, std::string_view line) {
    if (line.find("hard limit") == std::string_view::npos) return;
    if (lines++ == 0) logged.set_value(std::string(line));
  }});
  Doubler doubler;
  std::promise<void> release;
  doubler.gate = [held = release.get_future().share()](Batch&) { held.wait(); };
  Runtime runtime({.telemetry = &telemetry});
  Batcher batcher(runtime, doubler.model, {.hard_limit = 1ms});
  runtime.start();
  const Context ctx(ContextOptions{.request_id = "req-42"});
  std::future<Result<Inference>> answer = batcher.submit(ctx, Doubler::input(1));
  CHECK(logged.get_future().get().find("req-42") != std::string::npos);
  CHECK(batcher.snapshot().hung_instances == 1);
  CHECK_FALSE(runtime.readiness().ready);
  release.set_value();
  CHECK(answer.get().ok());
  CHECK(runtime.readiness().ready);
  CHECK(lines == 1);
}

namespace {

/// A model that stays in its batch until it is let go, every time.
struct Holding {
  explicit Holding(Doubler& doubler) {
    doubler.gate = [this](Batch&) {
      ++inside;
      inside.notify_all();
      gate.acquire();
    };
  }
  void wait_inside(int batches) {
    for (int now = inside; now < batches; now = inside) inside.wait(now);
  }
  std::atomic<int> inside{0};
  std::counting_semaphore<> gate{0};
};

}  // namespace

TEST_CASE("a request that leaves while all slots are taken does not stop those that follow") {
  Telemetry telemetry(silent());
  ComputeSlots slots(1);
  Doubler doubler(2);
  Holding holding(doubler);
  Runtime runtime({.telemetry = &telemetry});
  Batcher batcher(runtime, doubler.model, {.instances = 2, .slots = &slots});
  runtime.start();
  for (int round = 1; round <= 20; ++round) {
    std::future<Result<Inference>> running =
        batcher.submit(Context::background(), Doubler::input(1));
    holding.wait_inside(round);
    const Context gone{ContextOptions{}};
    std::future<Result<Inference>> waiting = batcher.submit(gone, Doubler::input(1));
    gone.cancel(CancelReason::user);
    CHECK_FALSE(waiting.get().ok());
    holding.gate.release();
    CHECK(running.get().ok());
  }
  holding.gate.release(100);
  runtime.shutdown();
  CHECK(slots.in_use() == 0);
}

TEST_CASE("what waits while the only instance is replaced is computed by the new one") {
  Telemetry telemetry(silent());
  Doubler first, second;
  second.factor = 3;
  Holding holding(first);
  Runtime runtime({.telemetry = &telemetry});
  Batcher batcher(runtime, first.model);
  runtime.start();
  std::future<Result<Inference>> running = batcher.submit(Context::background(), Doubler::input(1));
  holding.wait_inside(1);
  std::promise<Result<void>> replaced;
  const auto replace = [&](const Context& ctx) -> Async<void> {
    replaced.set_value(co_await batcher.replace(ctx, second.model));
    co_return success();
  };
  spawn(runtime, Context::background(), replace);
  while (batcher.snapshot().version == 1) std::this_thread::yield();
  std::future<Result<Inference>> waiting = batcher.submit(Context::background(), Doubler::input(1));
  holding.gate.release();
  CHECK(running.get().value().output().data<float>()[0] == 2);
  CHECK(waiting.get().value().output().data<float>()[0] == 3);
  CHECK(replaced.get_future().get().ok());
  runtime.shutdown();
}

TEST_CASE("instances run on the CPUs that they are given") {
  Telemetry telemetry(silent());
  Doubler doubler;
  std::atomic<int> cpus{0};
  doubler.gate = [&](Batch&) {
    cpu_set_t set;
    CPU_ZERO(&set);
    ::sched_getaffinity(0, sizeof(set), &set);
    cpus = CPU_COUNT(&set) == 1 && CPU_ISSET(0, &set) ? 1 : 2;
  };
  Runtime runtime({.telemetry = &telemetry});
  Batcher batcher(runtime, doubler.model, {.cpus = {0}});
  runtime.start();
  CHECK(batcher.submit(Context::background(), Doubler::input(1)).get().ok());
  CHECK(cpus == 1);
  runtime.shutdown();
}
