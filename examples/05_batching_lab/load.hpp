// Load: what two tenants ask, and what became of it. Clients of a closed load ask again once they
// are answered; an open load asks at random moments (Poisson) however slow the answers are, and
// latency counts from the moment at which a request was due.
#pragma once

#include <aiserve/core/histogram.hpp>
#include <aiserve/core/runtime.hpp>
#include <aiserve/serving/batcher.hpp>

#include <algorithm>
#include <atomic>
#include <random>

#include "settings.hpp"

namespace lab {

/// Of requests: their outcomes, then why their batches were started, then whose they were.
enum What : std::size_t { asked, answered, refused, failed, reason, tenant = reason + 6, end = 12 };
using Counts = std::array<std::atomic<std::uint64_t>, What::end>;

class Load {
 public:
  Load(Runtime& runtime, Batcher& batcher, const Settings& settings)
      : runtime_(runtime), batcher_(batcher), settings_(settings) {}

  void start() {
    const auto work = [this](const Context& ctx, const std::size_t& who) {
      return settings_.open() ? arrivals(ctx, who) : client(who);
    };
    for (const std::size_t who : {0U, 1U}) {
      const double workers = settings_.open() ? settings_.rate[who] > 0 : settings_.clients[who];
      for (int i = 0; i < workers; ++i) spawn(runtime_, Context::background(), work, who);
    }
  }
  void stop() noexcept { running_ = false; }
  const Counts& counts() const noexcept { return counts_; }
  const Histogram& latency() const noexcept { return latency_; }

 private:
  Async<void> client(std::size_t who) {
    while (running_) {
      const TimePoint due = runtime_.clock().now();
      (void)co_await ask(who, due);
    }
    co_return success();
  }

  Async<void> arrivals(const Context& ctx, std::size_t who) {
    const auto one = [this](const Context&, const std::size_t& whose, const TimePoint& due) {
      return ask(whose, due);
    };
    std::mt19937_64 random(std::random_device{}());
    std::exponential_distribution<double> gap_us(settings_.rate[who] / 1e6);
    for (TimePoint due = runtime_.clock().now(); running_; due += micros(gap_us(random))) {
      // Also when it is late: others must have their turn on this thread.
      (void)co_await sleep(ctx, std::max(due - runtime_.clock().now(), Duration::zero()));
      if (running_) spawn(runtime_, ctx, one, who, due);
    }
    co_return success();
  }

  Async<void> ask(std::size_t who, TimePoint due) {
    const Context ctx(ContextOptions{.tenant = tenants_[who]});
    ++counts_[asked];
    const Result<Inference> answer = co_await batcher_.infer_detailed(ctx, input_);
    if (!answer) {
      ++counts_[answer.error().code() == Errc::overloaded ? refused : failed];
      if (settings_.open()) co_return success();
      co_return co_await sleep(ctx, micros(1000));
    }
    ++counts_[answered];
    ++counts_[reason + static_cast<std::size_t>(answer->ride().reason)];
    ++counts_[tenant + who];
    latency_.observe(runtime_.clock().now() - due);
    co_return success();
  }

  Runtime& runtime_;
  Batcher& batcher_;
  const Settings& settings_;
  const std::array<Tenant, 2> tenants_{
      Tenant({.id = TenantId("a"), .weight = settings_.weights[0]}),
      Tenant({.id = TenantId("b"), .weight = settings_.weights[1]})};
  const Tensor input_ = Tensor::from<float>({1}, {1}).value();
  Counts counts_{};
  Histogram latency_;
  std::atomic<bool> running_{true};
};

}  // namespace lab
