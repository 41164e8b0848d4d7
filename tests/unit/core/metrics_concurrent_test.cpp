#include <aiserve/core/metrics.hpp>

#include <latch>
#include <thread>

#include <doctest/doctest.h>

using aiserve::CallbackGauge;
using aiserve::Counter;
using aiserve::Gauge;
using aiserve::Histogram;
using aiserve::Metrics;

namespace {

template <class F>
void on_threads(int count, F work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back([&work, i] { work(i); });
  for (auto& thread : threads) thread.join();
}

}  // namespace

TEST_CASE("no count is lost with more threads alive than there are slots") {
  constexpr int kThreads = 40;  // 28 own a slot, 12 share
  constexpr int kCounts = 500;
  Metrics metrics;
  Counter& counter = metrics.counter("a_total", "A.");
  Gauge& gauge = metrics.gauge("g", "G.");
  Histogram& histogram = metrics.histogram("h", "H.");
  std::latch all_alive(kThreads);
  on_threads(kThreads, [&](int) {
    counter.inc(0);
    all_alive.arrive_and_wait();
    for (int i = 0; i < kCounts; ++i) {
      counter.inc();
      gauge.add(1);
      histogram.observe(0.5);
    }
  });
  CHECK(counter.value() == kThreads * kCounts);
  CHECK(gauge.value() == kThreads * kCounts);
  CHECK(histogram.snapshot().count() == kThreads * kCounts);
  CHECK(histogram.snapshot().sum() == kThreads * kCounts * 0.5);
}

TEST_CASE("no count is lost when a slot goes from thread to thread") {
  Metrics metrics;
  Counter& counter = metrics.counter("a_total", "A.");
  Histogram& histogram = metrics.histogram("h", "H.");
  for (int round = 0; round < 100; ++round) {
    on_threads(3, [&](int) {
      for (int i = 0; i < 10; ++i) counter.inc();
      histogram.observe(1);
    });
  }
  CHECK(counter.value() == 3000);
  CHECK(histogram.snapshot().count() == 300);
}

TEST_CASE("series are made, counted, read and let go at the same time") {
  Metrics metrics;
  on_threads(4, [&metrics](int thread) {
    for (int i = 0; i < 100; ++i) {
      metrics.counter("a_total", "A.", {{"i", std::to_string(i)}}).inc();
      metrics.histogram("h", "H.", {{"i", std::to_string(i % 5)}}).observe(i);
      const CallbackGauge depth = metrics.gauge("depth", "D.", {}, [thread] { return thread; });
      if (i % 10 == thread) CHECK_FALSE(metrics.prometheus().empty());
    }
  });
  std::uint64_t total = 0;
  for (int i = 0; i < 100; ++i)
    total += metrics.counter("a_total", "A.", {{"i", std::to_string(i)}}).value();
  CHECK(total == 400);
}
