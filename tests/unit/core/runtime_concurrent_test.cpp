#include <csignal>
#include <future>
#include <mutex>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aiserve/core/runtime.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/testing/manual_clock.hpp"

using namespace aiserve;
using namespace std::chrono_literals;

namespace {

/// Collects log lines instead of printing them.
struct Quiet {
  Quiet()
      : telemetry({.log_sink = [this](LogLevel, std::string_view line) {
          const std::scoped_lock lock(mutex);
          lines += std::string(line) + "\n";
        }}) {}
  bool logged(std::string_view text) {
    const std::scoped_lock lock(mutex);
    return lines.find(text) != std::string::npos;
  }
  std::mutex mutex;
  std::string lines;
  Telemetry telemetry;
};

/// What `body` returns or exits with in a process of its own.
int exit_status_of(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Async<int> add_on_pool(Runtime& runtime, Context ctx, int a, int b) {
  const auto work = [a, b] { return a + b; };
  co_return co_await runtime.blocking(ctx, work);
}

}  // namespace

TEST_CASE("block_on brings a result from an I/O thread through the pool to a plain thread") {
  Quiet quiet;
  Runtime runtime({.io_threads = 2, .telemetry = &quiet.telemetry});
  runtime.start();
  std::vector<std::thread> callers;
  std::atomic<int> sum{0};
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      for (int j = 0; j < 50; ++j) {
        sum += block_on(runtime, add_on_pool(runtime, Context::background(), j, 1)).value();
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(sum == 4 * (50 * 49 / 2 + 50));
}

TEST_CASE("block_on refuses to block an I/O thread") {
  Quiet quiet;
  Runtime runtime({.telemetry = &quiet.telemetry});
  runtime.start();
  const auto body = [](Runtime* own) -> Async<int> {
    co_return block_on(*own, add_on_pool(*own, Context::background(), 1, 2));
  };
  const Result<int> outcome = block_on(runtime, body(&runtime));
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error().code() == Errc::internal);
}

TEST_CASE("a coroutine returns to the I/O thread it came from") {
  Quiet quiet;
  Runtime runtime({.io_threads = 2, .telemetry = &quiet.telemetry});
  runtime.start();
  const auto body = [](Runtime* own) -> Async<bool> {
    const auto before = std::this_thread::get_id();
    const auto where = [] { return std::this_thread::get_id(); };
    const Result<std::thread::id> pool = co_await own->blocking(Context::background(), where);
    co_return pool.value() != before&& std::this_thread::get_id() == before;
  };
  for (int i = 0; i < 20; ++i) CHECK(block_on(runtime, body(&runtime)).value());
}

TEST_CASE("a caller that gives up is answered at once and its pool call harms nobody") {
  Quiet quiet;
  Runtime runtime({.blocking_threads = 1, .telemetry = &quiet.telemetry});
  runtime.start();
  const Context ctx{ContextOptions{}};
  std::promise<void> entered, release;
  const auto body = [&](Runtime* own) -> Async<int> {
    const auto work = [&entered, released = release.get_future().share()] {
      entered.set_value();
      released.wait();
      return 1;
    };
    co_return co_await own->blocking(ctx, work);
  };
  std::thread canceller([&] {
    entered.get_future().wait();
    ctx.cancel(CancelReason::client_gone);
  });
  const Result<int> outcome = block_on(runtime, body(&runtime));
  canceller.join();
  release.set_value();
  CHECK(outcome.error().code() == Errc::cancelled);
}

TEST_CASE("components start in construction order and stop in reverse, gates first") {
  Quiet quiet;
  std::vector<std::string> order;
  Gate first_gate, second_gate;
  {
    Runtime runtime({.telemetry = &quiet.telemetry});
    const auto note = [&](const std::string& what) {
      return [&order, what] { order.push_back(what); };
    };
    const auto a = runtime.attach({.name = "a",
                                   .start = note("start a"),
                                   .stop_accepting = note("accept a"),
                                   .gate = &first_gate,
                                   .cancel = note("cancel a"),
                                   .join = note("join a")});
    const auto b = runtime.attach({.name = "b",
                                   .start = note("start b"),
                                   .stop_accepting = note("accept b"),
                                   .gate = &second_gate,
                                   .cancel = note("cancel b"),
                                   .join = note("join b")});
    CHECK(order.empty());
    runtime.start();
    CHECK(runtime.readiness().ready);
    runtime.shutdown();
    CHECK_FALSE(runtime.readiness().ready);
    CHECK(first_gate.closed());
  }
  CHECK(order == std::vector<std::string>{"start a", "start b", "accept b", "accept a", "cancel b",
                                          "cancel a", "join b", "join a"});
}

TEST_CASE("what is on its way to an I/O thread enters its gate before the gate closes") {
  Quiet quiet;
  for (int round = 0; round < 50; ++round) {
    Gate gate;
    std::atomic<bool> entered{false};
    Runtime runtime({.io_threads = 2, .telemetry = &quiet.telemetry});
    const auto stop_accepting = [&] {
      boost::asio::post(runtime.executor(1), [&] { entered = bool(gate.enter()); });
    };
    const auto attached =
        runtime.attach({.name = "server", .stop_accepting = stop_accepting, .gate = &gate});
    runtime.start();
    runtime.shutdown();
    CHECK(entered);
  }
}

TEST_CASE("a drain waits for what is inside a gate and then cancels it by name") {
  Quiet quiet;
  Gate gate;
  Runtime runtime({.drain_timeout = 20ms, .telemetry = &quiet.telemetry});
  Gate::Pass inside = gate.enter();
  const auto attached =
      runtime.attach({.name = "stubborn",
                      .gate = &gate,
                      .cancel = [&] { inside = Gate::Pass(); },
                      .busy_with = [] { return std::string("handler GET /slow"); }});
  runtime.start();
  runtime.shutdown();
  CHECK(gate.inside() == 0);
  CHECK(quiet.logged("handler GET /slow"));
}

TEST_CASE("what ignores cancellation is named in the log and the shutdown still ends") {
  Quiet quiet;
  Gate gate;
  Runtime runtime({.drain_timeout = 10ms, .stuck_timeout = 20ms, .telemetry = &quiet.telemetry});
  Gate::Pass inside = gate.enter();
  const auto attached = runtime.attach(
      {.name = "deaf", .gate = &gate, .busy_with = [] { return std::string("GET /never"); }});
  runtime.start();
  runtime.shutdown();
  CHECK(quiet.logged("still busy after cancellation"));
  CHECK(quiet.logged("deaf: GET /never"));
}

TEST_CASE("a frame that never ends is destroyed with its loop while its objects live") {
  Quiet quiet;
  auto guard = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = guard;
  {
    Runtime runtime({.drain_timeout = 10ms, .stuck_timeout = 20ms, .telemetry = &quiet.telemetry});
    runtime.start();
    std::promise<void> waiting;
    const auto deaf = [&waiting](const Context&, const std::shared_ptr<int>& held) -> Async<void> {
      const std::shared_ptr<int> mine = held;
      const Context own{ContextOptions{}};
      waiting.set_value();
      while (true) (void)co_await sleep(own, 1h);
    };
    spawn(runtime, Context::background(), deaf, std::move(guard));
    waiting.get_future().wait();
    runtime.shutdown();
    CHECK(watch.expired());
  }
}

TEST_CASE("a component that dies while its runtime runs shuts the runtime down first") {
  Quiet quiet;
  Runtime runtime({.telemetry = &quiet.telemetry});
  std::atomic<int> steps{0};
  {
    std::atomic<int> state{0};  // the worker uses it: it must not outlive this block
    Worker worker = runtime.add_worker({.name = "busy", .step = [&](TimePoint) {
                                          ++state;
                                          ++steps;
                                          return Deadline(TimePoint::min());
                                        }});
    const Attachment attached = runtime.attach({.name = "short-lived"});
    runtime.start();
    while (steps < 10) std::this_thread::yield();
  }
  const int after = steps;
  CHECK(quiet.logged("shutting down first"));
  std::this_thread::yield();
  CHECK(steps == after);
}

TEST_CASE("a constructor that throws after others succeeded leaves nothing behind") {
  Quiet quiet;
  struct Part {
    explicit Part(Runtime& runtime, bool fail) {
      worker = runtime.add_worker({.name = "part", .step = [](TimePoint) { return Deadline(); }});
      attached = runtime.attach({.name = "part"});
      if (fail) throw ConfigError("part: no such file");
    }
    Worker worker;
    Attachment attached;
  };
  for (const bool started : {false, true}) {
    try {
      Runtime runtime({.telemetry = &quiet.telemetry});
      const Part good(runtime, false);
      if (started) runtime.start();
      const Part bad(runtime, true);
      FAIL("the constructor did not throw");
    } catch (const ConfigError& error) {
      CHECK(std::string(error.what()) == "part: no such file");
    }
  }
}

TEST_CASE("a worker is stepped again only when its time has come or somebody wakes it") {
  Quiet quiet;
  Runtime runtime({.telemetry = &quiet.telemetry});
  std::atomic<int> steps{0};
  std::promise<void> first, second;
  const Worker worker = runtime.add_worker({.name = "sleeper", .step = [&](TimePoint) {
                                              const int step = ++steps;
                                              if (step == 1) first.set_value();
                                              if (step == 2) second.set_value();
                                              return Deadline::never();
                                            }});
  runtime.start();
  first.get_future().wait();
  CHECK(steps == 1);
  worker.wake();
  second.get_future().wait();
  CHECK(steps == 2);
}

TEST_CASE("a worker that cannot begin fails the runtime with its reason") {
  Quiet quiet;
  Runtime runtime({.telemetry = &quiet.telemetry});
  const Worker worker = runtime.add_worker(
      {.name = "broken",
       .begin = [] { return Result<void>(Error(Errc::unavailable, "model file is gone")); },
       .step = [](TimePoint) { return Deadline::never(); }});
  CHECK(runtime.run() == 2);
  CHECK(quiet.logged("model file is gone"));
}

TEST_CASE("spans that wait are exported within a second of the clock, and at the end") {
  testing::ManualClock clock;
  std::mutex mutex;
  std::condition_variable exported;
  std::size_t spans = 0;
  Telemetry telemetry({.log_sink = [](LogLevel, std::string_view) {},
                       .span_exporter =
                           [&](std::span<const SpanRecord> ended) {
                             const std::scoped_lock lock(mutex);
                             spans += ended.size();
                             exported.notify_all();
                           }});
  Runtime runtime({.telemetry = &telemetry, .clock = &clock});
  runtime.start();
  const auto settled = [] { return 0; };
  const auto pass = [&](Runtime* own) -> Async<int> {
    co_return co_await own->blocking(Context::background(), settled);
  };
  REQUIRE(block_on(runtime, pass(&runtime)).ok());  // the loop runs, so its timer is armed
  telemetry.tracer().start_root("one", TraceParent::generate(true));
  clock.advance(1s);
  {
    std::unique_lock lock(mutex);
    exported.wait(lock, [&] { return spans == 1; });
  }
  telemetry.tracer().start_root("two", TraceParent::generate(true));
  runtime.shutdown();
  CHECK(spans == 2);
}

TEST_CASE("stop makes run return 0 after a drain") {
  Quiet quiet;
  Runtime runtime({.telemetry = &quiet.telemetry});
  const auto attached = runtime.attach({.name = "stopper", .start = [&] { runtime.stop(); }});
  CHECK(runtime.run() == 0);
  runtime.shutdown();  // idempotent
}

TEST_CASE("SIGTERM ends run with 0") {
  CHECK(exit_status_of([] {
          Quiet quiet;
          Runtime runtime({.telemetry = &quiet.telemetry});
          const auto a =
              runtime.attach({.name = "a", .start = [] { ::kill(::getpid(), SIGTERM); }});
          return runtime.run();
        }) == 0);
}

TEST_CASE("a worker stuck in foreign code past the second limit ends the process with 3") {
  CHECK(exit_status_of([] {
          Quiet quiet;
          Runtime runtime(
              {.drain_timeout = 5ms, .stuck_timeout = 10ms, .telemetry = &quiet.telemetry});
          std::promise<void> never, entered;
          const Worker worker = runtime.add_worker({.name = "stuck", .step = [&](TimePoint) {
                                                      entered.set_value();
                                                      never.get_future().wait();
                                                      return Deadline::never();
                                                    }});
          runtime.start();
          entered.get_future().wait();
          runtime.shutdown();
          return 0;
        }) == 3);
}

TEST_CASE("a second signal during a drain ends the process with 3 at once") {
  CHECK(exit_status_of([] {
          Quiet quiet;
          Gate gate;
          Runtime runtime({.drain_timeout = 1h, .telemetry = &quiet.telemetry});
          const Gate::Pass inside = gate.enter();
          const auto a = runtime.attach({.name = "a",
                                         .start = [] { ::kill(::getpid(), SIGTERM); },
                                         .stop_accepting = [] { ::kill(::getpid(), SIGTERM); },
                                         .gate = &gate});
          return runtime.run();
        }) == 3);
}

TEST_CASE("two runtimes share a host's loop without threads or signal handlers of its own") {
  Quiet quiet;
  boost::asio::io_context loop;
  int served = 0;
  {
    Runtime one(loop, {.telemetry = &quiet.telemetry});
    Runtime two(loop, {.telemetry = &quiet.telemetry});
    one.start();
    two.start();
    for (Runtime* runtime : {&one, &two}) {
      const auto body = [&, runtime](const Context& ctx) -> Async<void> {
        const auto work = [] { return 20; };
        const Result<int> value = co_await runtime->blocking(ctx, work);
        served += value.value();
        if (served == 40) loop.stop();
        co_return success();
      };
      spawn(*runtime, Context::background(), body);
    }
    boost::asio::steady_timer guard(loop, 60s);
    guard.async_wait([&](const boost::system::error_code&) { loop.stop(); });
    loop.run();
    CHECK(served == 40);
    one.shutdown();
    two.shutdown();
  }
  loop.restart();
  loop.poll();  // nothing that a runtime left there may touch it now
}

TEST_CASE("options out of range are refused with the option's name") {
  try {
    Runtime runtime({.io_threads = 0});
    FAIL("accepted");
  } catch (const ConfigError& error) {
    CHECK(std::string(error.what()) == "runtime: io_threads is 0, must be 1 to 256");
  }
  CHECK_THROWS_AS(Runtime({.pool_queue = 0}), ConfigError);
  CHECK_THROWS_AS(Runtime({.drain_timeout = -1ms}), ConfigError);
}
