// batching.closed1.*: one request at a time through the Batcher, over what cannot be avoided when
// another thread computes: two hand-overs between threads that both sleep meanwhile.
//
// The model keeps its core busy for 300 us, so that the caller's thread has gone to sleep when the
// answer comes, as in a server. Three ways take turns: the call itself, on the same thread; a pair
// of plain threads with a condition variable each way; the Batcher through co_await.
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "aiserve/core/runtime.hpp"
#include "batching/closed_loop.hpp"
#include "batching/groups.hpp"
#include "tuner/model_zoo.hpp"
#include "tuner/subject.hpp"

namespace bench {
namespace {

using aiserve::Async;
using aiserve::Context;
using aiserve::Tensor;

constexpr tuner::Nanos kCall = 300'000;

// Another thread that calls `work` when it is told to, and tells when it is done.
class Neighbour {
 public:
  Neighbour() : thread_([this] { run(); }) {}
  ~Neighbour() {
    {
      const std::scoped_lock lock(mutex_);
      state_ = State::over;
    }
    told_.notify_one();
    thread_.join();
  }

  void call() {
    std::unique_lock lock(mutex_);
    state_ = State::asked;
    told_.notify_one();
    done_.wait(lock, [this] { return state_ == State::idle; });
  }

 private:
  enum class State { idle, asked, over };

  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      told_.wait(lock, [this] { return state_ != State::idle; });
      if (state_ == State::over) return;
      lock.unlock();
      tuner::spin(kCall);
      lock.lock();
      state_ = State::idle;
      done_.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable told_;
  std::condition_variable done_;
  State state_ = State::idle;
  std::thread thread_;
};

template <class F>
void time_calls(std::vector<double>& latencies, int count, const F& call) {
  for (int i = 0; i < count; ++i) {
    const double begun = seconds_now();
    call();
    latencies.push_back(seconds_now() - begun);
  }
}

// `spin`: its threads look for work that long before they sleep.
tuner::SubjectOptions one_spinning_instance(std::chrono::microseconds spin) {
  tuner::SubjectOptions options;
  options.spin = spin;
  options.model = {tuner::ModelKind::spin, kCall, 0, {}};
  return options;
}

struct Pair {
  Neighbour neighbour;
  tuner::Subject subject{one_spinning_instance(std::chrono::microseconds(0))};
};

void round(Sample& sample, Pair& pair, int slices) {
  constexpr int kCalls = 300;
  std::vector<double> direct;
  std::vector<double> handed;
  LoopResult batched;
  const auto infer = [&](const Context& ctx, std::uint64_t index) -> Async<Tensor> {
    return pair.subject.batcher().infer(ctx, pair.subject.input(index));
  };
  for (int i = 0; i < slices; ++i) {
    time_calls(direct, kCalls, [] { tuner::spin(kCall); });
    time_calls(handed, kCalls, [&] { pair.neighbour.call(); });
    batched.add(closed_loop(pair.subject.runtime(), 1, kCalls * 330e-6, infer));
  }
  const double call = median(direct);
  const double handoff = median(handed) - call;
  const double added = median(batched.latencies) - call;
  sample.set("batching.closed1.added_vs_handoff", added / handoff);
  sample.set("batching.closed1.added_us", added * 1e6);
  sample.set("batching.closed1.handoff_us", handoff * 1e6);
}

// The same with threads that do not go to sleep: what is left of the hand-overs.
void spinning_round(Sample& sample, tuner::Subject& subject, int slices) {
  constexpr int kCalls = 300;
  std::vector<double> direct;
  LoopResult batched;
  const auto infer = [&](const Context& ctx, std::uint64_t index) -> Async<Tensor> {
    return subject.batcher().infer(ctx, subject.input(index));
  };
  for (int i = 0; i < slices; ++i) {
    time_calls(direct, kCalls, [] { tuner::spin(kCall); });
    batched.add(closed_loop(subject.runtime(), 1, kCalls * 330e-6, infer));
  }
  sample.set("batching.closed1.spin_added_us", (median(batched.latencies) - median(direct)) * 1e6);
}

Group spinning_group(int slices) {
  const auto subject = std::make_shared<std::unique_ptr<tuner::Subject>>();
  return {.name = "batching.closed1.spin",
          .keys = {{.name = "batching.closed1.spin_added_us", .unit = "us", .at_most = 5}},
          .begin =
              [subject] {
                const std::chrono::microseconds longer_than_a_call(1000);
                *subject =
                    std::make_unique<tuner::Subject>(one_spinning_instance(longer_than_a_call));
              },
          .round = [=](Sample& sample) { spinning_round(sample, **subject, slices); },
          .end = [subject] { subject->reset(); }};
}

}  // namespace

std::vector<Group> handoff_groups(const Options& options) {
  const auto pair = std::make_shared<std::unique_ptr<Pair>>();
  const int slices = options.quick ? 20 : 50;
  return {{.name = "batching.closed1",
           .keys = {{.name = "batching.closed1.added_vs_handoff", .unit = "ratio", .at_most = 1.3},
                    {.name = "batching.closed1.added_us", .unit = "us"},
                    {.name = "batching.closed1.handoff_us", .unit = "us"}},
           .begin = [pair] { *pair = std::make_unique<Pair>(); },
           .round = [=](Sample& sample) { round(sample, **pair, slices); },
           .end = [pair] { pair->reset(); }},
          spinning_group(slices)};
}

}  // namespace bench
