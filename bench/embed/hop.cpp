#include "embed/hop.hpp"

#include <future>
#include <mutex>
#include <optional>
#include <vector>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "aiserve/core/runtime.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/serving/batcher.hpp"
#include "core/operation.hpp"
#include "harness/process.hpp"

namespace bench {
namespace {

namespace asio = boost::asio;
using aiserve::Async;
using aiserve::Batcher;
using aiserve::Context;
using aiserve::Runtime;
using aiserve::detail::Operation;

// What carries a request to the worker is the same for both ways back: a locked vector, and the
// worker is woken when it was idle.
template <class Item>
class Handover {
 public:
  template <class Complete>
  Handover(Runtime& runtime, Complete complete) {
    taken_.reserve(1024);
    waiting_.reserve(1024);
    worker_ = runtime.add_worker(
        {.name = "hop", .step = [this, complete](aiserve::TimePoint) { return step(complete); }});
  }

  void push(Item item) {
    bool wake = false;
    {
      const std::scoped_lock lock(mutex_);
      waiting_.push_back(std::move(item));
      wake = std::exchange(idle_, false);
    }
    if (wake) worker_.wake();
  }

 private:
  template <class Complete>
  aiserve::Deadline step(const Complete& complete) {
    {
      const std::scoped_lock lock(mutex_);
      if (waiting_.empty()) {
        idle_ = true;
        return aiserve::Deadline::never();
      }
      taken_.swap(waiting_);
    }
    complete(taken_);
    taken_.clear();
    return aiserve::Deadline(aiserve::TimePoint::min());
  }

  std::mutex mutex_;
  std::vector<Item> waiting_;
  std::vector<Item> taken_;
  bool idle_ = false;
  aiserve::Worker worker_;
};

// Runs `operation(ctx)` `operations` times by `in_flight` coroutines on the I/O thread.
template <class F>
HopCost drive(Runtime& runtime, int in_flight, std::uint64_t operations, const F& operation) {
  const auto many = [&](std::uint64_t count) {
    std::promise<void> done;
    int left = in_flight;  // touched on the I/O thread only
    const std::uint64_t each = count / static_cast<std::uint64_t>(in_flight);
    const auto loop = [&](const Context& ctx) -> Async<void> {
      for (std::uint64_t i = 0; i < each; ++i) co_await operation(ctx);
      if (--left == 0) done.set_value();
      co_return aiserve::success();
    };
    for (int i = 0; i < in_flight; ++i) spawn(runtime, Context::background(), loop);
    done.get_future().wait();
  };
  many(operations / 10);  // warm: threads awake, memory there
  const double begun = seconds_now();
  const Cpu before = own_cpu();
  many(operations);
  const double cpu = (own_cpu() - before).total;
  const double per = 1e9 / static_cast<double>(operations);
  return {cpu * per, (seconds_now() - begun) * per};
}

using Shared = aiserve::detail::IntrusivePtr<Operation>;

HopCost through_inbox(Runtime& runtime, int in_flight, std::uint64_t operations, bool watched) {
  Handover<Shared> handover(runtime, [](std::vector<Shared>& done) {
    aiserve::detail::SettledBatch settled;
    for (Shared& each : done) settled.settle(std::move(each), Operation::Outcome::completed);
  });
  runtime.start();
  const auto hop = [&](const Context& ctx) -> Async<void> {
    const Shared operation = aiserve::detail::make_intrusive<Operation>();
    operation->bind(&runtime.core());
    handover.push(operation);
    operation->watch(ctx);
    co_await operation->wait();
    co_return aiserve::success();
  };
  const auto as_request = [&](const Context&) -> Async<void> {
    aiserve::ContextOptions options;
    options.deadline = aiserve::Deadline::after(runtime.clock().now(), std::chrono::seconds(30));
    const Context ctx(options);
    co_return co_await hop(ctx);
  };
  const HopCost cost = watched ? drive(runtime, in_flight, operations, as_request)
                               : drive(runtime, in_flight, operations, hop);
  runtime.shutdown();
  return cost;
}

// The way back that suggests itself: the worker posts each completion to the caller's executor.
struct Waiting {
  std::optional<asio::any_completion_handler<void()>> handler;
  asio::any_io_executor home;
};

HopCost through_post(Runtime& runtime, int in_flight, std::uint64_t operations) {
  Handover<Waiting*> handover(runtime, [](std::vector<Waiting*>& all) {
    for (Waiting* each : all) asio::post(each->home, std::move(*each->handler));
  });
  runtime.start();
  const asio::any_io_executor home = runtime.executor();
  const auto hop = [&](const Context&) -> Async<void> {
    Waiting waiting{{}, home};
    const auto begin = [&](auto handler) {
      waiting.handler.emplace(std::move(handler));
      handover.push(&waiting);
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(begin,
                                                                          asio::use_awaitable);
    co_return aiserve::success();
  };
  const HopCost cost = drive(runtime, in_flight, operations, hop);
  runtime.shutdown();
  return cost;
}

HopCost through_batcher(Runtime& runtime, int in_flight, std::uint64_t operations,
                        std::int64_t bytes) {
  using aiserve::DType;
  using aiserve::TensorSpec;
  aiserve::CallableModelOptions options;
  options.name = "null";
  options.signature = {{TensorSpec("in", DType::u8, {-1, bytes})},
                       {TensorSpec("out", DType::f32, {-1, 10})}};
  aiserve::CallableModel model(options, [](aiserve::Batch&) { return aiserve::success(); });
  Batcher batcher(runtime, model, {.max_batch = 64, .max_queue = 8192});
  runtime.start();
  const std::vector<std::uint8_t> row(static_cast<std::size_t>(bytes), 7);
  const aiserve::Tensor input =
      aiserve::Tensor::from<std::uint8_t>({bytes}, std::span(row)).value();
  const auto hop = [&](const Context& ctx) -> Async<void> {
    const auto result = co_await batcher.infer(ctx, input);
    if (!result) co_return result.error();
    co_return aiserve::success();
  };
  const HopCost cost = drive(runtime, in_flight, operations, hop);
  runtime.shutdown();
  return cost;
}

}  // namespace

HopCost measure_hop(HopKind kind, int in_flight, std::uint64_t operations) {
  aiserve::TelemetryOptions quiet;
  quiet.log_level = aiserve::LogLevel::error;
  aiserve::Telemetry telemetry(quiet);
  Runtime runtime({.telemetry = &telemetry});
  switch (kind) {
    case HopKind::inbox:
      return through_inbox(runtime, in_flight, operations, false);
    case HopKind::inbox_watched:
      return through_inbox(runtime, in_flight, operations, true);
    case HopKind::post:
      return through_post(runtime, in_flight, operations);
    case HopKind::batcher:
      return through_batcher(runtime, in_flight, operations, 3072);
    case HopKind::batcher_small:
      return through_batcher(runtime, in_flight, operations, 64);
  }
  return {};
}

}  // namespace bench
