// CostModel: what a batch of n rows takes, learned from finished batches, and the knee: the batch
// size beyond which more rows per batch no longer give more rows per second. Pure: no clock, no
// lock, no allocation but in points().
//
// Sizes fall into half-octave cells (1, 2, 3, 4, 6, 8, 12, ... 65536). A cell holds the mean of its
// rows and of its times, so its point lies on the curve even if the sizes in it vary.
//   mean   EWMA of weight 1/8 after 8 batches, made monotone over the cells by pooling adjacent
//          violators (Ayer et al. 1955); what decisions predict with.
//   p95    mean + 2.5 mean deviations (the RTO estimator of Jacobson 1988; 2.1 would be a normal
//          distribution's p95, 2.7 an exponential one's).
//   knee   compares rows per second by a slower average (weight 1/64), so that noise does not move
//          it: a larger size must win by 3 % and by two standard errors.
//
//   CostModel cost;
//   cost.observe(32, took);                              // after each batch
//   const std::size_t rows = cost.cap(64, waiting);      // before each batch
//   const Nanos predicted = cost.mean(rows);
//
// Thread safety: none; one object per lane, under the engine's mutex.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "decide/nanos.hpp"

namespace aiserve::inline v0::decide {

/// One observed size.
struct CostPoint {
  std::size_t rows = 0;
  Nanos mean = 0;
  Nanos p95 = 0;
  std::uint32_t count = 0;
};

/// T(n) = base_ns + per_row_ns * n; neither is negative.
struct CostFit {
  double base_ns = 0;
  double per_row_ns = 0;
};

class CostModel {
 public:
  /// A finished batch of 1 to 65536 rows (others are clamped).
  void observe(std::size_t rows, Nanos took) noexcept;

  bool known() const noexcept { return known_ != 0; }

  /// Expected time of a batch; 0 when nothing is known. Interpolated between observed sizes, beyond
  /// them extrapolated by the fit's slope. Never falls when rows grow.
  Nanos mean(std::size_t rows) const noexcept;
  /// 95th percentile of the time of a batch; never below mean().
  Nanos p95(std::size_t rows) const noexcept;
  /// Rows per second in batches of this size; 0 when nothing is known.
  double rate(std::size_t rows) const noexcept;

  /// The smallest size whose rows per second are within 2 % of the best observed size <= limit; 1
  /// when nothing is known. A limit between two cells counts as a size of its own.
  std::size_t knee(std::size_t limit) const noexcept;

  /// Rows that the next batch may have, 1 to limit: the knee, or now and then a size to learn from,
  /// with real rows only. While the largest observed size is the best it doubles at once when
  /// `waiting` allows; sizes around the knee are tried every 16th decision until they are known
  /// well, then every 256th, to notice a curve that has changed.
  std::size_t cap(std::size_t limit, std::size_t waiting) noexcept;

  /// The observed sizes in ascending order.
  std::vector<CostPoint> points() const;
  /// Least squares over the points, weighted by count and relative error. With one point only all
  /// of the time is taken for the rows'.
  CostFit fit() const noexcept;

  /// The model behind it was replaced: nothing is known any more.
  void forget() noexcept { *this = CostModel(); }

 private:
  static constexpr int kCells = 32;

  struct Cell {
    double rows = 0;
    double mean = 0;
    double deviation = 0;
    double per_row = 0;           ///< slow average of took / rows
    double before_run = 0;        ///< mean when the current run of outliers began
    double run_sum = 0;           ///< time of the run's batches
    std::int32_t run = 0;         ///< outliers in a row: > 0 too slow, < 0 too fast
    std::uint32_t count = 0;      ///< saturates
    std::uint64_t last_seen = 0;  ///< in observations_
  };

  struct Place {
    int low = -1;
    int high = -1;
    double share = 0;
  };

  bool surprises(const Cell& cell, std::size_t rows, double took) const noexcept;
  void begin(int cell, double rows, double took) noexcept;
  void learn(Cell& cell, double rows, double took, double expected) noexcept;
  void learn_rate(Cell& cell, double per_row) noexcept;
  bool follow_run(Cell& cell, double took, double expected) noexcept;
  void shift(int cell) noexcept;
  void smooth(int cell, bool thorough) noexcept;
  void smooth_all() noexcept;
  void judge_knee() noexcept;
  bool beats(int candidate, int current) const noexcept;
  int leanest(std::uint32_t cells) const noexcept;
  int smallest_good(std::uint32_t cells, double best) const noexcept;
  int winner() const noexcept;
  void vote(int target, double usual) noexcept;
  bool unproven(int cell, int knee) const noexcept;
  int knee_cell(int top) const noexcept;
  bool still_growing(int largest, int knee) const noexcept;
  std::size_t probe(int knee, std::size_t limit, std::size_t waiting) const noexcept;
  Place place(std::size_t rows) const noexcept;
  double time_at(const Place& place, double rows) const noexcept;
  double deviation_at(const Place& place, double time) const noexcept;

  std::array<double, kCells> time_{};  ///< means, monotone
  std::array<Cell, kCells> cells_{};
  std::uint32_t known_ = 0;  ///< one bit per observed cell
  bool bent_ = false;        ///< time_ differs from the cells' means
  int knee_ = -1;
  int best_ = -1;
  int votes_ = 0;
  double slope_ = 0;  ///< fit().per_row_ns, a few observations old
  std::uint64_t observations_ = 0;
  std::uint64_t decisions_ = 0;
};

}  // namespace aiserve::inline v0::decide
