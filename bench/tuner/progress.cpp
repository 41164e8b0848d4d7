#include "tuner/progress.hpp"

#include <algorithm>
#include <cstdio>

#include <fmt/core.h>
#include <unistd.h>

namespace tuner {

std::string progress_bar(double share, int width) {
  const double part = std::clamp(share, 0.0, 1.0);
  const int full = static_cast<int>(part * width);
  return "[" + std::string(static_cast<std::size_t>(full), '#') +
         std::string(static_cast<std::size_t>(width - full), '-') +
         fmt::format("] {:3.0f} %", part * 100);
}

Progress::Progress(double total_seconds, bool quiet)
    : total_(total_seconds), visible_(!quiet && ::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (visible_) fmt::print(stderr, "\r\033[K");
}

void Progress::step(const std::string& what, double seconds) {
  done_ += current_;
  current_ = seconds;
  draw(what);
}

void Progress::draw(const std::string& what) const {
  if (!visible_) return;
  const double left = std::max(0.0, total_ - done_);
  fmt::print(stderr, "\r\033[K{}  {:.0f} s left  {}",
             progress_bar(done_ / std::max(total_, 1e-9), 30), left, what);
  std::fflush(stderr);
}

}  // namespace tuner
