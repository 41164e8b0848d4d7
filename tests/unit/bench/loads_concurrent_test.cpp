#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "tuner/closed_loop.hpp"
#include "tuner/open_loop.hpp"
#include "tuner/recorder.hpp"

using namespace tuner;

namespace {

constexpr Nanos kMs = 1'000'000;

// Answers from a thread of its own, in order.
class ThreadedTarget final : public Target {
 public:
  ThreadedTarget() : thread_([this] { run(); }) {}
  ~ThreadedTarget() override {
    {
      const std::scoped_lock lock(mutex_);
      over_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }

  void send(const Call& call, Done done) override {
    const std::scoped_lock lock(mutex_);
    calls.push_back(call);
    waiting_.push_back(std::move(done));
    most_in_flight = std::max(most_in_flight, ++in_flight_);
    changed_.notify_one();
  }

  std::vector<Call> calls;
  int most_in_flight = 0;
  Outcome outcome = Outcome::ok;

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return over_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      const Done done = std::move(waiting_.front());
      waiting_.pop_front();
      --in_flight_;
      lock.unlock();
      done({outcome, 4, true});
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Done> waiting_;
  int in_flight_ = 0;
  bool over_ = false;
  std::thread thread_;
};

// Answers at once, but does not return from its first send() before a point in time.
class StallingTarget final : public Target {
 public:
  explicit StallingTarget(Nanos stall) : stall_(stall) {}
  void send(const Call& call, Done done) override {
    if (call.index == 0) {
      const Nanos until = steady_now() + stall_;
      while (steady_now() < until) std::this_thread::yield();
    }
    done({Outcome::ok, 1, true});
  }

 private:
  Nanos stall_;
};

}  // namespace

TEST_CASE("an open loop sends every arrival once, in order, with its tenant and deadline") {
  const std::vector<Arrival> arrivals{{0, 0}, {kMs, 1}, {2 * kMs, 0}, {3 * kMs, 1}};
  ThreadedTarget target;
  const LoadResult result =
      open_loop(target, arrivals, {.measured = 4 * kMs, .deadline = 7, .tenants = 2});
  REQUIRE(target.calls.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(target.calls[i].index == i);
    CHECK(target.calls[i].tenant == arrivals[i].tenant);
    CHECK(target.calls[i].deadline == 7);
  }
  CHECK(result.tenants[0].ok == 2);
  CHECK(result.tenants[1].ok == 2);
  CHECK(result.batches == 4);
  CHECK(result.mean_batch() == 4);
  CHECK(result.proof.offered_per_second == doctest::Approx(1000));
}

TEST_CASE("what was due during the warm-up is sent and not counted") {
  const std::vector<Arrival> arrivals{{0, 0}, {kMs, 0}, {2 * kMs, 0}, {3 * kMs, 0}};
  ThreadedTarget target;
  const LoadResult result = open_loop(target, arrivals, {.warm_up = 2 * kMs, .measured = 2 * kMs});
  CHECK(target.calls.size() == 4);
  CHECK(result.all().ok == 2);
}

TEST_CASE("a stall is charged to everybody who would have come meanwhile, and fails the proof") {
  std::vector<Arrival> arrivals;
  for (Nanos at = 0; at < 10 * kMs; at += kMs) arrivals.push_back({at, 0});
  StallingTarget target(30 * kMs);
  const LoadResult result = open_loop(target, arrivals, {.measured = 10 * kMs});
  CHECK(result.all().latency.count() == 10);
  // The last one was due 9 ms after the first, and could not be sent before 30 ms.
  CHECK(result.all().latency.least() >= 20 * kMs);
  CHECK(result.proof.lag_p99 >= 20 * kMs);
  CHECK_FALSE(result.proof.failure().empty());
}

TEST_CASE("refusals are counted and make the proof lenient about the sent rate") {
  const std::vector<Arrival> arrivals{{0, 0}, {kMs, 0}};
  ThreadedTarget target;
  target.outcome = Outcome::refused;
  const LoadResult result = open_loop(target, arrivals, {.measured = 2 * kMs});
  CHECK(result.all().refused == 2);
  CHECK(result.proof.overloaded);
}

TEST_CASE("a closed loop keeps as many in flight as it has clients, and no more") {
  ThreadedTarget target;
  const LoadResult result = closed_loop(target, 8, 0, 100 * kMs);
  CHECK(target.most_in_flight <= 8);
  CHECK(target.calls.size() >= 8);
  CHECK(result.all().ok >= 1);
  CHECK(result.all().ok <= target.calls.size());
  for (std::size_t i = 0; i < target.calls.size(); ++i) CHECK(target.calls[i].index == i);
}
