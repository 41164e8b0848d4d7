// Keys: single keys from stdin, be it a terminal or a pipe, and what they change.
#pragma once

#include <aiserve/serving/batcher.hpp>

#include <cstdio>
#include <thread>

#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include "settings.hpp"

namespace lab {

/// Keys come without Enter and echo while this lives.
class Terminal {
 public:
  Terminal() {
    if (tcgetattr(STDIN_FILENO, &saved_) != 0) return;
    termios raw = saved_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);  // Ctrl-C is a key as well
    changed_ = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
  }
  ~Terminal() {
    if (changed_) tcsetattr(STDIN_FILENO, TCSANOW, &saved_);
  }
  /// The next key before `until`, or 0. Ctrl-C is q.
  char key(std::chrono::steady_clock::time_point until) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (!open_) std::this_thread::sleep_until(until);
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    if (!open_ || poll(&input, 1, static_cast<int>(std::max(0L, left.count()))) <= 0) return 0;
    char key = 0;
    open_ = read(STDIN_FILENO, &key, 1) == 1;
    return key == '\3' ? 'q' : key;
  }

 private:
  termios saved_{};
  bool changed_ = false, open_ = true;
};

inline void press(char key, Batcher& batcher) {
  if (key == 0) return;
  const BatcherSnapshot now = batcher.snapshot();
  BatcherKnobs knobs;
  if (key == 'b') knobs.max_batch = now.max_batch / 2;
  if (key == 'B') knobs.max_batch = now.max_batch * 2;
  if (key == 'i') knobs.active_instances = now.active_instances - 1;
  if (key == 'I') knobs.active_instances = now.active_instances + 1;
  if (key == 'g') knobs.latency_goal = now.latency_goal / 2;
  if (key == 'G') knobs.latency_goal = std::max(now.latency_goal * 2, micros(20'000));
  if (key == '0') knobs.latency_goal = Duration::zero();
  if (key == 'f' || key == 'F') knobs.frozen = key == 'f';
  const Result<void> done = batcher.set(knobs);
  if (!done) std::printf("%c: %s\n", key, done.error().message().c_str());
}

}  // namespace lab
