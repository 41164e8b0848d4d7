/// Runtime: owns all threads (I/O, blocking and CPU pools, workers), start, drain and stop.
///
/// Not a global: a process may hold several. Nothing runs before start(). run() is start(), wait
/// for SIGINT or SIGTERM, shutdown(); only run() touches signals. A host with a loop of its own
/// passes its io_context (one thread runs it) and calls start() and shutdown() itself.
/// Destroy it last: components refer to it.
/// *Thread safety:* construction, attach(), start(), run(), shutdown(): one thread; the rest: any.
/// *Errors:* the constructor and start() throw ConfigError; blocking() and cpu() return overloaded
/// when the pool's queue is full, and the Context's error when it ends first.
///
///     aiserve::Runtime runtime({.io_threads = 2, .drain_timeout = 20s});
///     aiserve::http::Server server(runtime, {.port = 8080});
///     return runtime.run();
#pragma once

#include <aiserve/core/async.hpp>
#include <aiserve/core/clock.hpp>
#include <aiserve/core/component.hpp>
#include <aiserve/core/context.hpp>
#include <aiserve/core/worker.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

namespace boost::asio {
class io_context;
}

namespace aiserve::inline v0 {

class Telemetry;

struct RuntimeOptions {
  /// Threads that serve sockets, 1 to 256. One saturates a core; add when it does. Ignored for a
  /// host's own loop.
  int io_threads = 1;
  /// Threads for calls that block (files, drivers), 1 to 1024.
  int blocking_threads = 4;
  /// Threads for CPU work beside the models (decoding images), 1 to 256.
  int cpu_threads = 1;
  /// Calls that may wait for each of the two pools; beyond it they are refused as overloaded.
  std::size_t pool_queue = 1024;
  /// I/O threads and workers look for new work this long before they sleep, 0 to 10 ms: saves the
  /// wake-up (5 to 50 us) of a request that comes to an idle service, and costs a core while idle.
  std::chrono::microseconds spin{0};
  /// Keep serving this long after readiness turned false, so that load balancers notice.
  std::chrono::milliseconds drain_delay{0};
  /// Then wait this long for what is in flight, before it is cancelled.
  std::chrono::milliseconds drain_timeout{10'000};
  /// Then wait this long for workers and handlers that ignore cancellation.
  std::chrono::milliseconds stuck_timeout{5'000};
  /// After that: log what is stuck and _exit(3). If false: wait on, and log every stuck_timeout.
  bool exit_when_stuck = true;
  /// Where logs, metrics and traces go; default: one of its own, logging to stderr.
  Telemetry* telemetry = nullptr;
  /// Default: Clock::steady().
  Clock* clock = nullptr;
};

struct Readiness {
  bool ready = false;
  std::vector<std::string> reasons;  ///< why not, one line each
};

class Runtime {
 public:
  Runtime() : Runtime(RuntimeOptions{}) {}
  explicit Runtime(RuntimeOptions options);
  explicit Runtime(boost::asio::io_context& host_loop, RuntimeOptions options = {});
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// start(), wait for a signal or stop(), shutdown(). Returns the exit status: 0 after a drain,
  /// 2 if a component failed to start (its error is one line on stderr).
  int run();
  void start();
  /// Drains and stops; idempotent. The deadline bounds the drain, drain_timeout does so as well.
  void shutdown(Deadline deadline = Deadline::never());
  /// Makes run() go on to its shutdown; any thread, never blocks.
  void stop() noexcept;

  Readiness readiness() const;
  /// One JSON object: state, threads, pools, components.
  std::string status() const;

  Clock& clock() const noexcept;
  Telemetry& telemetry() const noexcept;
  const RuntimeOptions& options() const noexcept;
  int io_threads() const noexcept;
  /// The I/O thread `index` (default: the caller's own if it is one, else the first).
  boost::asio::any_io_executor executor(int index = -1) const;

  /// Runs `fn()` on the blocking pool. fn returns T or Result<T>; it is moved there and outlives a
  /// caller that gave up.
  template <class F>
  auto blocking(const Context& ctx, F fn) {
    return on_pool(ctx, false, std::move(fn));
  }
  /// The same on the CPU pool.
  template <class F>
  auto cpu(const Context& ctx, F fn) {
    return on_pool(ctx, true, std::move(fn));
  }

  Attachment attach(Component component);
  /// A thread of its own between start() and the end of shutdown().
  Worker add_worker(WorkerOptions options);

  detail::RuntimeCore& core() const noexcept { return *core_; }

 private:
  friend class SimRuntimeAccess;
  explicit Runtime(std::unique_ptr<detail::RuntimeCore> core) noexcept;

  template <class F>
  auto on_pool(Context ctx, bool cpu, F fn);

  std::unique_ptr<detail::RuntimeCore> core_;
};

namespace detail {

class PoolTask {
 public:
  virtual ~PoolTask() = default;
  virtual void run() noexcept = 0;
};

/// Queues the task and waits for it; an error if it was refused or the Context ended first.
Async<void> run_on_pool(RuntimeCore& core, const Context& ctx, bool cpu,
                        std::shared_ptr<PoolTask> task);

template <class T>
struct ResultOf {
  using type = Result<T>;
};
template <class T>
struct ResultOf<Result<T>> {
  using type = Result<T>;
};

template <class F>
class CallTask final : public PoolTask {
 public:
  using R = std::invoke_result_t<F&>;
  using ResultType = typename ResultOf<R>::type;

  explicit CallTask(F fn) : fn_(std::move(fn)) {}
  void run() noexcept override {
    try {
      if constexpr (std::is_void_v<R>) {
        fn_();
        result = success();
      } else {
        result = fn_();
      }
    } catch (...) {
      result = error_from_current_exception();
    }
  }

  ResultType result;

 private:
  F fn_;
};

template <class F>
Async<typename CallTask<F>::ResultType::value_type> call_on_pool(
    RuntimeCore& core, Context ctx, bool cpu, std::shared_ptr<CallTask<F>> task) {
  const std::shared_ptr<PoolTask> erased = task;
  const Result<void> ran = co_await run_on_pool(core, ctx, cpu, erased);
  if (!ran) co_return ran.error();
  co_return std::move(task->result);
}

}  // namespace detail

template <class F>
auto Runtime::on_pool(Context ctx, bool cpu, F fn) {
  return detail::call_on_pool(*core_, std::move(ctx), cpu,
                              std::make_shared<detail::CallTask<F>>(std::move(fn)));
}

}  // namespace aiserve::inline v0
