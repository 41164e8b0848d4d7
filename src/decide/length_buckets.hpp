// LengthBuckets: which requests are similar enough in length to be padded to one size. Edges are
// given or learned. Pure: no clock, no lock.
//
// Learned edges start as three steps per octave (8, 10, 12, 16, 20, 24, 32, ...: at most a quarter
// of a row is padding). Every kRelearnEvery lengths the edges that cut what came into equally
// frequent parts (quantiles) are compared with those in use, and replace them only if the padding
// up to the edges would fall by over kGain: edges that follow noise would scatter requests over
// lanes. Beyond the longest that came the steps go on. What came is remembered in a fixed number of
// counters, which halve at each comparison.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace aiserve::inline v0::decide {

class LengthBuckets {
 public:
  static constexpr std::size_t kMaxEdges = 64;
  static constexpr std::size_t kLearnedEdges = 12;
  static constexpr std::uint32_t kRelearnEvery = 1024;
  static constexpr double kGain = 0.10;

  /// Ascending edges of at least 1, up to kMaxEdges; none: learned.
  explicit LengthBuckets(std::vector<std::int64_t> edges = {});

  bool learned() const noexcept { return learned_; }
  const std::vector<std::int64_t>& edges() const noexcept { return edges_; }
  /// The first bucket whose edge is not below `length`; edges().size() for what is longer than all.
  std::uint32_t bucket_of(std::int64_t length) const noexcept;
  /// The longest of the bucket; 0 (no edge) beyond the last.
  std::int64_t edge(std::uint32_t bucket) const noexcept {
    return bucket < edges_.size() ? edges_[bucket] : 0;
  }

  /// Tells of a request. True if the edges changed. Edges that were given never do.
  bool observe(std::int64_t length);

 private:
  struct Cell {
    std::uint32_t count = 0;
    std::int64_t longest = 0;
  };

  bool relearn();
  std::vector<std::int64_t> quantiles() const;
  double padding(const std::vector<std::int64_t>& edges) const;
  void fade() noexcept;

  bool learned_;
  std::uint32_t since_ = 0;
  std::vector<std::int64_t> edges_;
  std::vector<Cell> cells_;  // empty if the edges were given
};

}  // namespace aiserve::inline v0::decide
