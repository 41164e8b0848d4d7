#include "tuner/open_loop.hpp"

#include <algorithm>

#include <time.h>

#include "tuner/countdown.hpp"
#include "tuner/prompt_thread.hpp"
#include "tuner/recorder.hpp"

namespace tuner {
namespace {

constexpr Nanos kPatience = 30'000'000'000;
constexpr Nanos kHeadStart = 2'000'000;  // between the decision to begin and the first request

void sleep_until(Nanos at) noexcept {
  timespec time{};
  time.tv_sec = at / 1'000'000'000;
  time.tv_nsec = at % 1'000'000'000;
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr) != 0) {
  }
}

class Sender {
 public:
  Sender(Target& target, std::span<const Arrival> arrivals, const OpenLoopOptions& options)
      : target_(target),
        arrivals_(arrivals),
        options_(options),
        begin_(steady_now() + kHeadStart),
        recorder_(begin_ + options.warm_up, options.measured, options.tenants),
        unanswered_(arrivals.size()) {}

  LoadResult run() {
    const PromptThread prompt;
    double cpu_before = process_cpu();
    bool warm = false;
    for (std::size_t i = 0; i < arrivals_.size(); ++i) {
      const Nanos due = begin_ + arrivals_[i].at;
      if (steady_now() < due) sleep_until(due);
      if (!warm && arrivals_[i].at >= options_.warm_up) {
        warm = true;
        cpu_before = process_cpu();
      }
      send(i, due);
    }
    if (!arrivals_.empty()) unanswered_.wait(kPatience, "requests were never answered");
    LoadResult result = recorder_.take();
    result.cpu_seconds = process_cpu() - cpu_before;
    prove(result);
    return result;
  }

 private:
  void send(std::size_t index, Nanos due) {
    last_sent_ = steady_now();
    if (arrivals_[index].at >= options_.warm_up) {
      lag_.record(last_sent_ - due);
      ++sent_;
    }
    target_.send({index, arrivals_[index].tenant, options_.deadline},
                 [this, index](const Answer& answer) {
                   const Arrival& arrival = arrivals_[index];
                   recorder_.record(answer, arrival.tenant, begin_ + arrival.at);
                   unanswered_.count();
                 });
  }

  void prove(LoadResult& result) const {
    const TenantResult all = result.all();
    const Nanos sending = last_sent_ - begin_ - options_.warm_up;
    const auto count = static_cast<double>(sent_);
    result.proof.offered_per_second = count * 1e9 / static_cast<double>(options_.measured);
    result.proof.sent_per_second =
        count * 1e9 / static_cast<double>(std::max(sending, options_.measured));
    result.proof.lag_p99 = lag_.percentile(0.99);
    result.proof.latency_p50 = all.latency.percentile(0.5);
    result.proof.overloaded = (all.refused + all.expired) * 100 > all.answered();
  }

  Target& target_;
  std::span<const Arrival> arrivals_;
  const OpenLoopOptions& options_;
  Nanos begin_;
  Recorder recorder_;
  Countdown unanswered_;
  LatencyHistogram lag_;
  std::uint64_t sent_ = 0;
  Nanos last_sent_ = 0;
};

}  // namespace

LoadResult open_loop(Target& target, std::span<const Arrival> arrivals,
                     const OpenLoopOptions& options) {
  return Sender(target, arrivals, options).run();
}

}  // namespace tuner
