// PromptThread: while it lives, the calling thread wakes up on time: a sender that waits for a core
// measures its own lateness.
#pragma once

namespace tuner {

class PromptThread {
 public:
  /// Timers to the nanosecond (the kernel may else wait 50 us to save power), and before all
  /// ordinary threads when a core is wanted, where the system allows it (root, or RLIMIT_RTPRIO).
  PromptThread() noexcept;
  ~PromptThread();
  PromptThread(const PromptThread&) = delete;
  PromptThread& operator=(const PromptThread&) = delete;

 private:
  int slack_;
  bool first_in_line_;
};

}  // namespace tuner
