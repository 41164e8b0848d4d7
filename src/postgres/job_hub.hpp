// JobHub: what the calls of a job store have in common between their transactions. Outlives the
// store while calls are on their way. *Thread safety:* any thread.
#pragma once

#include <functional>
#include <mutex>

#include "postgres/claim_cursors.hpp"

namespace aiserve::inline v0::pg {

class JobHub {
 public:
  ClaimCursors& cursors() noexcept { return cursors_; }

  /// Called after every commit of this process that made jobs ready.
  void on_ready(std::function<void()> ready) {
    const std::scoped_lock lock(mutex_);
    ready_ = std::move(ready);
  }
  /// Tells other processes of them.
  void on_tell(std::function<void()> tell) {
    const std::scoped_lock lock(mutex_);
    tell_ = std::move(tell);
  }
  void made_ready(std::span<const ReadyJob> jobs) {
    if (jobs.empty()) return;
    cursors_.made_ready(jobs);
    const std::scoped_lock lock(mutex_);
    if (ready_) ready_();
    if (tell_) tell_();
  }
  /// Jobs that were ready can be claimed from now on, here and elsewhere.
  void reopened() {
    cursors_.forget();
    const std::scoped_lock lock(mutex_);
    if (ready_) ready_();
    if (tell_) tell_();
  }
  /// Another process made jobs ready, or may have.
  void heard() {
    cursors_.forget();
    const std::scoped_lock lock(mutex_);
    if (ready_) ready_();
  }

 private:
  ClaimCursors cursors_;
  std::mutex mutex_;
  std::function<void()> ready_;
  std::function<void()> tell_;
};

}  // namespace aiserve::inline v0::pg
