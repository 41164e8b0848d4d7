// CommitPace: how long a writer that commits in groups lets the next group gather. Whoever a commit
// has answered tends to come back at once with its next write: a writer that goes on with the first
// of them leaves the others to the commit after it, and ever more commits hold ever fewer writes
// (PostgreSQL's commit_siblings and commit_delay, learned instead of set).
//
// Time is the caller's. Not thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>

#include "decide/nanos.hpp"

namespace aiserve::inline v0::decide {

class CommitPace {
 public:
  /// A commit of `writes` that took `length` has just answered them, at `now`.
  void committed(std::size_t writes, Nanos length, Nanos now) noexcept {
    mean_ += (length - mean_) / (mean_ == 0 ? 1 : kWeight);
    expected_ = writes < kFew ? 1 : writes;
    until_ = now + std::min(mean_ / 2, kLongest);
  }
  /// The next commit begins when so many writes wait, ...
  std::size_t expected() const noexcept { return expected_; }
  /// ... and at this time with those that are there.
  Nanos until() const noexcept { return until_; }

 private:
  static constexpr std::size_t kFew = 4;        // one producer doesn't wait for others
  static constexpr Nanos kLongest = 2'000'000;  // on a slow disk
  static constexpr Nanos kWeight = 8;           // of the past in the mean

  Nanos mean_ = 0;  // of a commit
  std::size_t expected_ = 1;
  Nanos until_ = 0;
};

}  // namespace aiserve::inline v0::decide
