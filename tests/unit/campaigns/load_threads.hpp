// LoadThreads: threads that go on whatever becomes of the server, until the campaign ends them.
#pragma once

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

namespace aiserve::inline v0::testing {

class LoadThreads {
 public:
  LoadThreads() = default;
  ~LoadThreads() { end(); }
  LoadThreads(const LoadThreads&) = delete;
  LoadThreads& operator=(const LoadThreads&) = delete;

  /// `run` returns soon after ended() is true.
  void add(std::function<void()> run) { threads_.emplace_back(std::move(run)); }
  bool ended() const { return ended_; }
  void acknowledged() {
    ++acks_;
    acks_.notify_all();
  }

  void wait_for_more_acks(int count) const {
    const int until = acks_.load() + count;
    for (int seen = acks_.load(); seen < until; seen = acks_.load()) acks_.wait(seen);
  }
  void end() {
    ended_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  std::atomic<bool> ended_{false};
  std::atomic<int> acks_{0};
  std::vector<std::thread> threads_;
};

}  // namespace aiserve::inline v0::testing
