// Bisection: which parts of a failed batch to run again, so that what poisons it fails alone.
// Pure. One poisoned row among n is found with 2 log2(n) runs; the budget bounds what many cost.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace aiserve::inline v0::decide {

class Bisection {
 public:
  struct Part {
    std::size_t first = 0;
    std::size_t count = 0;
    friend bool operator==(const Part&, const Part&) = default;
  };

  /// The first part is the whole batch; it does not count as a re-run.
  Bisection(std::size_t rows, std::size_t max_reruns) : reruns_left_(max_reruns) {
    if (rows != 0) parts_.push_back({0, rows});
  }

  /// What to run next; nothing when all has ended.
  std::optional<Part> next() {
    if (parts_.empty()) return std::nullopt;
    const Part part = parts_.back();
    parts_.pop_back();
    return part;
  }

  /// `part` failed. True: its halves will be run. False: it is given up, all of it.
  bool split(const Part& part) {
    if (part.count < 2 || reruns_left_ < 2) return false;
    reruns_left_ -= 2;
    const std::size_t half = part.count / 2;
    parts_.push_back({part.first + half, part.count - half});
    parts_.push_back({part.first, half});
    return true;
  }

 private:
  std::vector<Part> parts_;
  std::size_t reruns_left_;
};

}  // namespace aiserve::inline v0::decide
