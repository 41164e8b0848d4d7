#include "tuner/closed_loop.hpp"

#include <atomic>
#include <vector>

#include "tuner/countdown.hpp"
#include "tuner/recorder.hpp"

namespace tuner {
namespace {

constexpr Nanos kPatience = 30'000'000'000;

class Clients {
 public:
  Clients(Target& target, int in_flight, Nanos warm_up, Nanos measured)
      : target_(target),
        begin_(steady_now()),
        end_(begin_ + warm_up + measured),
        recorder_(begin_ + warm_up, measured, 1),
        at_work_(static_cast<std::uint64_t>(in_flight)),
        sent_at_(static_cast<std::size_t>(in_flight)) {}

  LoadResult run() {
    const double cpu_before = process_cpu();
    for (std::size_t client = 0; client < sent_at_.size(); ++client) send(client);
    at_work_.wait(end_ - begin_ + kPatience, "requests were never answered");
    LoadResult result = recorder_.take();
    // Warm-up and end cost as much per second as what is between them.
    const double whole = static_cast<double>(steady_now() - begin_) * 1e-9;
    result.cpu_seconds = (process_cpu() - cpu_before) * result.seconds / whole;
    return result;
  }

 private:
  void send(std::size_t client) {
    sent_at_[client] = steady_now();
    const std::uint64_t index = next_.fetch_add(1, std::memory_order_relaxed);
    target_.send({index, 0, 0}, [this, client](const Answer& answer) { answered(client, answer); });
  }

  void answered(std::size_t client, const Answer& answer) {
    recorder_.record(answer, 0, sent_at_[client]);
    if (steady_now() < end_) {
      send(client);
    } else {
      at_work_.count();
    }
  }

  Target& target_;
  Nanos begin_;
  Nanos end_;
  Recorder recorder_;
  Countdown at_work_;
  std::vector<Nanos> sent_at_;
  std::atomic<std::uint64_t> next_{0};
};

}  // namespace

LoadResult closed_loop(Target& target, int in_flight, Nanos warm_up, Nanos measured) {
  return Clients(target, in_flight, warm_up, measured).run();
}

}  // namespace tuner
