// http.limiter_ns: two threads ask one RateLimiter about 10,000 tenants.
#include <aiserve/core/clock.hpp>
#include <aiserve/http/rate_limiter.hpp>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "harness/process.hpp"
#include "http/groups.hpp"

namespace bench {
namespace {

constexpr int kThreads = 2;
constexpr std::size_t kTenants = 10'000;

std::vector<std::string> shuffled_tenants(unsigned seed) {
  std::vector<std::string> names;
  names.reserve(kTenants);
  for (std::size_t i = 0; i < kTenants; ++i) names.push_back("t:tenant-" + std::to_string(i));
  std::shuffle(names.begin(), names.end(), std::mt19937(seed));
  return names;
}

// Nanoseconds per decision of each thread, the clock it is made by included.
double measure(std::size_t decisions) {
  aiserve::RateLimiter limiter({.per_second = 100, .burst = 200});
  std::atomic<std::size_t> allowed{0};
  std::barrier ready(kThreads + 1);
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (unsigned t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const std::vector<std::string> names = shuffled_tenants(t);
      for (const std::string& name : names) (void)limiter.look(name, {});
      const aiserve::Clock& clock = aiserve::Clock::steady();
      std::size_t let_in = 0;
      ready.arrive_and_wait();
      for (std::size_t i = 0; i < decisions; ++i) {
        if (limiter.take(names[i % kTenants], clock.now()).allowed) ++let_in;
      }
      allowed += let_in;
    });
  }
  ready.arrive_and_wait();
  const double begun = seconds_now();
  for (std::thread& thread : threads) thread.join();
  const double took = seconds_now() - begun;
  if (allowed == 0 || limiter.keys() != kTenants) throw std::runtime_error("the limiter is wrong");
  return took * 1e9 / static_cast<double>(decisions);
}

}  // namespace

std::vector<Group> limiter_groups(const Options& options) {
  const std::size_t decisions = options.quick ? 1'000'000 : 5'000'000;
  return {{.name = "http.limiter",
           .keys = {{.name = "http.limiter_ns", .unit = "ns", .at_most = 300}},
           .round = [decisions](Sample& sample) {
             sample.set("http.limiter_ns", measure(decisions));
           }}};
}

}  // namespace bench
