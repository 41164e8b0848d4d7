// Progress: a bar on stderr while a terminal looks at it, nothing otherwise.
#pragma once

#include <string>

namespace tuner {

class Progress {
 public:
  Progress(double total_seconds, bool quiet);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// What begins now, and how long it will take.
  void step(const std::string& what, double seconds);
  /// There is more to do than was thought.
  void expect_more(double seconds) noexcept { total_ += seconds; }

 private:
  void draw(const std::string& what) const;

  double total_;
  double done_ = 0;
  double current_ = 0;
  bool visible_;
};

/// "[#####-----]  50 %"; `share` from 0 to 1. Pure.
std::string progress_bar(double share, int width);

}  // namespace tuner
