// batching.cancel.*: an instance is held busy, 1000 requests queue up behind it, 900 of them are
// cancelled, then the instance goes on. The model notes whose rows it sees: none of the 900. The
// requests come as coroutines (computed) and through submit() from another thread
// (submit_computed); cancelled they are from another thread.
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "aiserve/core/runtime.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/serving/batcher.hpp"
#include "batching/groups.hpp"
#include "tuner/countdown.hpp"

namespace bench {
namespace {

using namespace aiserve;

constexpr std::uint32_t kRequests = 1000;

// Stays shut while the queue is being filled.
class Gatekeeper {
 public:
  void shut() {
    const std::scoped_lock lock(mutex_);
    open_ = false;
  }
  void open() {
    {
      const std::scoped_lock lock(mutex_);
      open_ = true;
    }
    changed_.notify_all();
  }
  /// Of the worker: tells that it is here, and waits.
  void pass() {
    std::unique_lock lock(mutex_);
    here_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    here_ = false;
  }
  void wait_until_held() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return here_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
  bool here_ = false;
};

TelemetryOptions quiet() {
  TelemetryOptions options;
  options.log_level = LogLevel::error;
  return options;
}

CallableModelOptions model_options() {
  CallableModelOptions options;
  options.name = "cancel";
  options.signature = {{TensorSpec("id", DType::i32, {-1, 1})},
                       {TensorSpec("id", DType::i32, {-1, 1})}};
  return options;
}

class Scene {
 public:
  Scene()
      : telemetry_(quiet()),
        model_(model_options(), [this](Batch& batch) { return compute(batch); }),
        runtime_({.telemetry = &telemetry_}),
        batcher_(runtime_, model_, {.max_batch = 32, .max_queue = 2 * kRequests}),
        seen_(kRequests + 1) {
    runtime_.start();
  }
  ~Scene() {
    keeper_.open();
    runtime_.shutdown();
  }

  enum class Door { infer, submit };

  /// How many of the cancelled requests were computed.
  int play(Door door) {
    for (auto& each : seen_) each.store(0);
    contexts_.clear();
    for (std::uint32_t id = 0; id <= kRequests; ++id) contexts_.emplace_back(ContextOptions{});
    keeper_.shut();
    tuner::Countdown unanswered(kRequests + 1);
    send(door, kRequests, unanswered);  // what the instance is held with
    keeper_.wait_until_held();
    for (std::uint32_t id = 0; id < kRequests; ++id) send(door, id, unanswered);
    while (batcher_.snapshot().queued < kRequests) std::this_thread::yield();
    for (std::uint32_t id = 0; id < kRequests; ++id) {
      if (id % 10 != 0) contexts_[id].cancel(CancelReason::client_gone);
    }
    keeper_.open();
    unanswered.wait(10'000'000'000, "requests were never answered");
    return judge();
  }

 private:
  void send(Door door, std::uint32_t id, tuner::Countdown& unanswered) {
    const auto value = static_cast<std::int32_t>(id);
    const Tensor input = Tensor::from<std::int32_t>({1}, {value}).value();
    if (door == Door::submit) {
      batcher_.submit(contexts_[id], input,
                      [&unanswered](const Result<Inference>&) { unanswered.count(); });
      return;
    }
    const auto ask = [this, &unanswered](const Context& ctx, const Tensor& row) -> Async<void> {
      const Result<Tensor> ignored = co_await batcher_.infer(ctx, row);
      static_cast<void>(ignored);
      unanswered.count();
      co_return success();
    };
    spawn(runtime_, contexts_[id], ask, input);
  }

  Result<void> compute(Batch& batch) {
    keeper_.pass();
    const auto ids = batch.input<std::int32_t>();
    for (std::size_t row = 0; row < batch.size(); ++row) {
      seen_[static_cast<std::size_t>(ids[row])].fetch_add(1);
    }
    std::memcpy(batch.output_bytes().data(), batch.input_bytes().data(),
                batch.input_bytes().size());
    return success();
  }

  int judge() const {
    int cancelled = 0;
    for (std::uint32_t id = 0; id < kRequests; ++id) {
      if (id % 10 != 0) cancelled += seen_[id].load();
      if (id % 10 == 0 && seen_[id].load() != 1) {
        throw std::runtime_error("a request that was not cancelled was not computed once");
      }
    }
    return cancelled;
  }

  Telemetry telemetry_;
  Gatekeeper keeper_;
  CallableModel model_;
  Runtime runtime_;
  Batcher batcher_;
  std::vector<std::atomic<int>> seen_;
  std::vector<Context> contexts_;
};

}  // namespace

std::vector<Group> cancel_groups(const Options& options) {
  const int plays = options.quick ? 20 : 100;
  return {{.name = "batching.cancel",
           .keys = {{.name = "batching.cancel.computed", .unit = "rows", .at_most = 0},
                    {.name = "batching.cancel.submit_computed", .unit = "rows", .at_most = 0}},
           .round = [plays](Sample& sample) {
             Scene scene;
             int computed = 0;
             int submitted = 0;
             for (int i = 0; i < plays; ++i) {
               computed += scene.play(Scene::Door::infer);
               submitted += scene.play(Scene::Door::submit);
             }
             sample.set("batching.cancel.computed", computed);
             sample.set("batching.cancel.submit_computed", submitted);
           }}};
}

}  // namespace bench
