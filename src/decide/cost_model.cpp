#include "decide/cost_model.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace aiserve::inline v0::decide {
namespace {

constexpr std::size_t kMaxRows = 65536;

constexpr double kFastWeight = 1.0 / 8;
constexpr double kSlowWeight = 1.0 / 64;
constexpr double kSlowSamples = 127;       // that an average of weight 1/64 is worth: 2/w - 1
constexpr double kSlowMayLag = 0.25;       // the slow average jumps to the fast one beyond this
constexpr double kFirstDeviation = 0.125;  // of the mean, before a second batch shows the spread
constexpr double kP95Deviations = 2.5;
constexpr double kSigmasPerDeviation = 1.25;

constexpr double kOutlier = 2;           // times the expected time, or 1 / that
constexpr double kDeviationOutlier = 4;  // spread is learned from larger excesses than the mean
constexpr int kRunThatIsAShift = 4;
constexpr std::uint32_t kEstablished = 8;
constexpr std::uint32_t kCountAfterShift = 2;

constexpr std::uint64_t kSilence = 64;  // observations
constexpr double kSurprise = 0.25;
constexpr double kFarOutOfOrder = 0.05;
constexpr double kStaleness = 1.0 / 8;  // what a newer observation counts more than an older

constexpr double kGood = 1.02;  // per-row time of the knee / of the best size
constexpr double kMustWinBy = 0.03;
constexpr double kMustWinByErrors = 2;
constexpr double kWinsClearly = 0.25;
constexpr int kVotes = 3;

constexpr std::uint64_t kRefitEvery = 16;  // observations
constexpr std::uint64_t kThoroughEvery = 8;
constexpr std::uint64_t kThoroughAtFirst = 64;
constexpr std::uint64_t kProbeEvery = 16;
constexpr std::uint64_t kProbeWellKnownEvery = 256;
constexpr std::uint32_t kWellKnown = 32;
constexpr std::array<int, 5> kProbeOffsets{1, -1, 2, -2, 4};

/// 1, 2, 3, 4, 6, 8, 12, ...: 2^k is cell 2k - 1, 3 * 2^(k - 1) is cell 2k.
constexpr std::size_t cell_size(int cell) noexcept {
  if (cell == 0) return 1;
  const int octave = (cell + 1) / 2;
  return cell % 2 != 0 ? std::size_t{1} << octave : std::size_t{3} << (octave - 1);
}

constexpr int cell_of(std::size_t rows) noexcept {
  if (rows <= 1) return 0;
  const int octave = static_cast<int>(std::bit_width(rows)) - 1;
  const std::size_t middle = std::size_t{3} << (octave - 1);
  const int below = rows >= middle ? 2 * octave : 2 * octave - 1;
  const std::size_t next = rows >= middle ? std::size_t{2} << octave : middle;
  return 2 * rows > cell_size(below) + next ? below + 1 : below;
}
static_assert(cell_of(kMaxRows) == 31 && cell_size(31) == kMaxRows);

constexpr std::size_t clamp_rows(std::size_t rows) noexcept {
  return std::clamp<std::size_t>(rows, 1, kMaxRows);
}

constexpr std::uint32_t bit(int cell) noexcept { return std::uint32_t{1} << cell; }
constexpr std::uint32_t up_to(int cell) noexcept { return bit(cell) | (bit(cell) - 1); }
int lowest(std::uint32_t cells) noexcept { return std::countr_zero(cells); }
int highest(std::uint32_t cells) noexcept { return 31 - std::countl_zero(cells); }

template <class F>
void for_each_cell(std::uint32_t cells, F f) {
  for (; cells != 0; cells &= cells - 1) f(lowest(cells));
}

Nanos to_nanos(double time) noexcept {
  constexpr double kMost = 9e18;
  return static_cast<Nanos>(std::min(time, kMost));
}

}  // namespace

void CostModel::observe(std::size_t rows, Nanos took) noexcept {
  const std::size_t n = clamp_rows(rows);
  const auto time = static_cast<double>(std::max<Nanos>(took, 1));
  const int at = cell_of(n);
  Cell& cell = cells_[static_cast<std::size_t>(at)];
  const bool is_new = cell.count == 0;
  if (is_new) {
    begin(at, static_cast<double>(n), time);
  } else if (surprises(cell, n, time)) {
    begin(at, static_cast<double>(n), (time + time_at(place(n), static_cast<double>(n))) / 2);
  } else {
    const double expected = time_at(place(n), static_cast<double>(n));
    learn(cell, static_cast<double>(n), time, expected);
    if (follow_run(cell, time, expected)) shift(at);
  }
  cell.last_seen = ++observations_;
  const bool thorough = observations_ <= kThoroughAtFirst || observations_ % kThoroughEvery == 0;
  smooth(at, thorough);
  if (is_new || observations_ % kRefitEvery == 0) slope_ = fit().per_row_ns;
  if (thorough) judge_knee();
}

/// After a long silence a size may have changed: what was known is worth no more than this batch.
bool CostModel::surprises(const Cell& cell, std::size_t rows, double took) const noexcept {
  if (observations_ - cell.last_seen < kSilence) return false;
  const double expected = time_at(place(rows), static_cast<double>(rows));
  return std::abs(took - expected) > kSurprise * expected;
}

void CostModel::begin(int at, double rows, double took) noexcept {
  Cell& cell = cells_[static_cast<std::size_t>(at)];
  cell = Cell();
  cell.rows = rows;
  cell.mean = took;
  cell.deviation = took * kFirstDeviation;
  cell.per_row = took / rows;
  cell.count = 1;
  known_ |= bit(at);
}

void CostModel::learn(Cell& cell, double rows, double took, double expected) noexcept {
  if (cell.count != std::numeric_limits<std::uint32_t>::max()) ++cell.count;
  const double weight = std::max(1.0 / cell.count, kFastWeight);
  const double time = std::min(took, kOutlier * expected);
  const double excess = std::abs(std::min(took, kDeviationOutlier * expected) - expected);
  cell.rows += weight * (rows - cell.rows);
  cell.mean += weight * (time - cell.mean);
  cell.deviation += weight * (excess - cell.deviation);
  learn_rate(cell, time / rows);
}

void CostModel::learn_rate(Cell& cell, double per_row) noexcept {
  cell.per_row += std::max(1.0 / cell.count, kSlowWeight) * (per_row - cell.per_row);
  const double fast = cell.mean / cell.rows;
  if (std::abs(fast - cell.per_row) > kSlowMayLag * cell.per_row) cell.per_row = fast;
}

// One outlier is bounded above by learn(). Several in a row on the same side are no outliers: the
// model has become slower or faster.
bool CostModel::follow_run(Cell& cell, double took, double expected) noexcept {
  const int side = took > kOutlier * expected ? 1 : took * kOutlier < expected ? -1 : 0;
  if (side == 0 || side * cell.run <= 0) {
    cell.run = 0;
    cell.run_sum = 0;
    cell.before_run = expected;
  }
  if (side == 0) return false;
  cell.run += side;
  cell.run_sum += took;
  return std::abs(cell.run) == kRunThatIsAShift;
}

// What slows an established size down slows the others too; they are relearned when next seen.
void CostModel::shift(int at) noexcept {
  Cell& cell = cells_[static_cast<std::size_t>(at)];
  const double took = cell.run_sum / kRunThatIsAShift;
  const double factor = took / cell.before_run;
  if (cell.count >= kEstablished) {
    for_each_cell(known_ & ~bit(at), [&](int other) {
      Cell& scaled = cells_[static_cast<std::size_t>(other)];
      scaled.mean *= factor;
      scaled.deviation *= factor;
      scaled.per_row *= factor;
      scaled.count = std::min(scaled.count, kCountAfterShift);
      scaled.run = 0;
    });
  }
  begin(at, cell.rows, took);
  cell.count = kRunThatIsAShift;
  smooth_all();
  slope_ = fit().per_row_ns;
}

/// Between two full passes a mean that is a little out of order is held between its neighbours.
void CostModel::smooth(int at, bool thorough) noexcept {
  const std::uint32_t below = known_ & (bit(at) - 1);
  const std::uint32_t above = known_ & ~up_to(at);
  const double mean = cells_[static_cast<std::size_t>(at)].mean;
  double time = mean;
  if (above != 0) time = std::min(time, time_[static_cast<std::size_t>(lowest(above))]);
  if (below != 0) time = std::max(time, time_[static_cast<std::size_t>(highest(below))]);
  time_[static_cast<std::size_t>(at)] = time;
  bent_ = bent_ || time < mean || mean < time;
  const bool far = std::abs(time - mean) > kFarOutOfOrder * mean;
  if (far || (bent_ && thorough)) smooth_all();
}

void CostModel::smooth_all() noexcept {
  struct Block {
    double time;
    double weight;
    std::uint32_t cells;
  };
  std::array<Block, kCells> blocks;
  std::size_t size = 0;
  for_each_cell(known_, [&](int at) {
    const Cell& cell = cells_[static_cast<std::size_t>(at)];
    const auto age = static_cast<double>(observations_ - cell.last_seen);
    const auto count = static_cast<double>(std::min(cell.count, kEstablished));
    Block block{cell.mean, count / (1 + kStaleness * age), bit(at)};
    for (; size != 0 && blocks[size - 1].time > block.time; --size) {
      const Block& last = blocks[size - 1];
      const double weight = last.weight + block.weight;
      block.time = (last.time * last.weight + block.time * block.weight) / weight;
      block.weight = weight;
      block.cells |= last.cells;
    }
    blocks[size++] = block;
  });
  for (std::size_t i = 0; i < size; ++i) {
    for_each_cell(blocks[i].cells,
                  [&](int at) { time_[static_cast<std::size_t>(at)] = blocks[i].time; });
  }
  bent_ = size != static_cast<std::size_t>(std::popcount(known_));
}

CostModel::Place CostModel::place(std::size_t rows) const noexcept {
  const auto n = static_cast<double>(rows);
  const int at = cell_of(rows);
  std::uint32_t below = known_ & up_to(at);
  if ((known_ & bit(at)) != 0 && cells_[static_cast<std::size_t>(at)].rows > n) below ^= bit(at);
  const std::uint32_t above = known_ & ~below;
  Place found;
  if (below != 0) found.low = highest(below);
  if (above != 0) found.high = lowest(above);
  if (found.low >= 0 && found.high >= 0) {
    const double from = cells_[static_cast<std::size_t>(found.low)].rows;
    const double to = cells_[static_cast<std::size_t>(found.high)].rows;
    found.share = (n - from) / (to - from);
  }
  return found;
}

double CostModel::time_at(const Place& place, double rows) const noexcept {
  const auto low = static_cast<std::size_t>(place.low);
  const auto high = static_cast<std::size_t>(place.high);
  if (place.high < 0) return time_[low] + slope_ * (rows - cells_[low].rows);
  if (place.low >= 0) return time_[low] + place.share * (time_[high] - time_[low]);
  if (std::has_single_bit(known_)) return time_[high];  // no idea yet what fewer rows save
  const double cell_rows = cells_[high].rows;
  return std::max(time_[high] - slope_ * (cell_rows - rows), time_[high] * rows / cell_rows);
}

double CostModel::deviation_at(const Place& place, double time) const noexcept {
  if (place.low >= 0 && place.high >= 0) {
    const double from = cells_[static_cast<std::size_t>(place.low)].deviation;
    const double to = cells_[static_cast<std::size_t>(place.high)].deviation;
    return from + place.share * (to - from);
  }
  const auto only = static_cast<std::size_t>(std::max(place.low, place.high));
  return cells_[only].deviation * time / time_[only];
}

Nanos CostModel::mean(std::size_t rows) const noexcept {
  if (known_ == 0) return 0;
  const std::size_t n = clamp_rows(rows);
  return to_nanos(time_at(place(n), static_cast<double>(n)));
}

Nanos CostModel::p95(std::size_t rows) const noexcept {
  if (known_ == 0) return 0;
  const std::size_t n = clamp_rows(rows);
  const Place found = place(n);
  const double time = time_at(found, static_cast<double>(n));
  return to_nanos(time + kP95Deviations * deviation_at(found, time));
}

double CostModel::rate(std::size_t rows) const noexcept {
  const Nanos time = mean(rows);
  return time == 0 ? 0 : static_cast<double>(clamp_rows(rows)) * 1e9 / static_cast<double>(time);
}

int CostModel::leanest(std::uint32_t cells) const noexcept {
  int best = lowest(cells);
  for_each_cell(cells, [&](int at) {
    const double per_row = cells_[static_cast<std::size_t>(at)].per_row;
    if (per_row < cells_[static_cast<std::size_t>(best)].per_row) best = at;
  });
  return best;
}

/// The lowest of the cells that is within 2 % of the given per-row time.
int CostModel::smallest_good(std::uint32_t cells, double best) const noexcept {
  for (; !std::has_single_bit(cells); cells &= cells - 1) {
    if (cells_[static_cast<std::size_t>(lowest(cells))].per_row <= kGood * best) break;
  }
  return lowest(cells);
}

/// By the margin, and by more than the noise of both averages explains.
bool CostModel::beats(int candidate, int current) const noexcept {
  const Cell& a = cells_[static_cast<std::size_t>(candidate)];
  const Cell& b = cells_[static_cast<std::size_t>(current)];
  const double gain = b.per_row / a.per_row - 1;
  const auto variance = [](const Cell& cell) {
    const double sigma = kSigmasPerDeviation * cell.deviation / cell.mean;
    return sigma * sigma / std::min(static_cast<double>(cell.count), kSlowSamples);
  };
  return gain > kMustWinBy &&
         gain * gain > kMustWinByErrors * kMustWinByErrors * (variance(a) + variance(b));
}

/// The best of the sizes that certainly beat the knee; the knee if there is none.
int CostModel::winner() const noexcept {
  int best = knee_;
  for_each_cell(known_ & ~up_to(knee_), [&](int at) {
    const double per_row = cells_[static_cast<std::size_t>(at)].per_row;
    if (per_row < cells_[static_cast<std::size_t>(best)].per_row && beats(at, knee_)) best = at;
  });
  return best;
}

void CostModel::judge_knee() noexcept {
  if (knee_ < 0) knee_ = lowest(known_);
  const double usual = cells_[static_cast<std::size_t>(knee_)].per_row;
  best_ = leanest(known_);
  int target = smallest_good(known_, cells_[static_cast<std::size_t>(best_)].per_row);
  if (target > knee_) {
    const int proven = winner();
    const double time = cells_[static_cast<std::size_t>(proven)].per_row;
    target = proven == knee_ ? knee_ : smallest_good(known_ & ~up_to(knee_), time);
  } else if (target < knee_ && cells_[static_cast<std::size_t>(target)].count < kEstablished) {
    target = knee_;
  }
  vote(target, usual);
}

/// Several observations must agree, unless the gain is beyond doubt.
void CostModel::vote(int target, double usual) noexcept {
  if (target == knee_) {
    votes_ = 0;
    return;
  }
  votes_ = target > knee_ ? std::max(votes_, 0) + 1 : std::min(votes_, 0) - 1;
  const double gain = usual / cells_[static_cast<std::size_t>(target)].per_row - 1;
  if (std::abs(votes_) < kVotes && gain < kWinsClearly) return;
  knee_ = target;
  votes_ = 0;
}

int CostModel::knee_cell(int top) const noexcept {
  if (knee_ <= top) return knee_;
  const std::uint32_t cells = known_ & up_to(top);
  if (cells == 0) return top;
  return smallest_good(cells, cells_[static_cast<std::size_t>(leanest(cells))].per_row);
}

std::size_t CostModel::knee(std::size_t limit) const noexcept {
  if (known_ == 0) return 1;
  const std::size_t most = clamp_rows(limit);
  const int top = cell_of(most);
  const int cell = knee_cell(top);
  return cell == top ? most : cell_size(cell);
}

bool CostModel::still_growing(int largest, int knee) const noexcept {
  return largest <= knee || kGood * cells_[static_cast<std::size_t>(largest)].per_row <
                                cells_[static_cast<std::size_t>(knee)].per_row;
}

/// Seems better than the knee, and a few more observations will show whether it is.
bool CostModel::unproven(int cell, int knee) const noexcept {
  const Cell& seen = cells_[static_cast<std::size_t>(cell)];
  return seen.count < kWellKnown &&
         (1 + kMustWinBy) * seen.per_row < cells_[static_cast<std::size_t>(knee)].per_row;
}

std::size_t CostModel::cap(std::size_t limit, std::size_t waiting) noexcept {
  if (known_ == 0) return 1;
  ++decisions_;
  const std::size_t most = clamp_rows(limit);
  const int top = cell_of(most);
  const std::uint32_t seen = known_ & up_to(top);
  const int cell = knee_cell(top);
  if (seen != 0 && highest(seen) < top && still_growing(highest(seen), cell)) {
    const std::size_t next = std::min(2 * cell_size(highest(seen)), most);
    if (waiting >= next) return next;
  }
  if (best_ > cell && best_ <= top && unproven(best_, cell)) {
    const std::size_t better = std::min(cell_size(best_), most);
    if (waiting >= better) return better;
  }
  if (decisions_ % kProbeEvery == 0) return probe(cell, most, waiting);
  return cell == top ? most : cell_size(cell);
}

/// Of the sizes around the knee that the queue can fill the least known one, or, when all are well
/// known, now and then the one not seen for longest. Else the knee.
std::size_t CostModel::probe(int knee, std::size_t limit, std::size_t waiting) const noexcept {
  const int top = cell_of(limit);
  const std::size_t usual = knee == top ? limit : cell_size(knee);
  const Cell* chosen = nullptr;
  std::size_t size = usual;
  for (const int offset : kProbeOffsets) {
    const int at = knee + offset;
    if (at < 0 || at > top) continue;
    const std::size_t rows = std::min(cell_size(at), limit);
    if (waiting < rows) continue;
    const Cell& cell = cells_[static_cast<std::size_t>(at)];
    const bool better = chosen == nullptr ||
                        (cell.count < kWellKnown
                             ? cell.count < chosen->count
                             : chosen->count >= kWellKnown && cell.last_seen < chosen->last_seen);
    if (!better) continue;
    chosen = &cell;
    size = rows;
  }
  if (chosen == nullptr) return usual;
  const bool due = chosen->count < kWellKnown || decisions_ % kProbeWellKnownEvery == 0;
  return due ? size : usual;
}

std::vector<CostPoint> CostModel::points() const {
  std::vector<CostPoint> all;
  for_each_cell(known_, [&](int at) {
    const Cell& cell = cells_[static_cast<std::size_t>(at)];
    const double time = time_[static_cast<std::size_t>(at)];
    all.push_back({static_cast<std::size_t>(std::lround(cell.rows)), to_nanos(time),
                   to_nanos(time + kP95Deviations * cell.deviation), cell.count});
  });
  return all;
}

// The spread of a time grows with it: weights count / time^2 minimise the relative errors.
CostFit CostModel::fit() const noexcept {
  double w = 0, x = 0, y = 0, xx = 0, xy = 0;
  for_each_cell(known_, [&](int at) {
    const Cell& cell = cells_[static_cast<std::size_t>(at)];
    const double time = time_[static_cast<std::size_t>(at)];
    const double weight = std::min(static_cast<double>(cell.count), kSlowSamples) / (time * time);
    w += weight;
    x += weight * cell.rows;
    y += weight * time;
    xx += weight * cell.rows * cell.rows;
    xy += weight * cell.rows * time;
  });
  if (w == 0) return {};
  const CostFit through_origin{0, xy / xx};
  if (std::has_single_bit(known_)) return through_origin;
  const double slope = (w * xy - x * y) / (w * xx - x * x);
  const double base = (y - slope * x) / w;
  if (base < 0) return through_origin;
  if (slope < 0) return {y / w, 0};
  return {base, slope};
}

}  // namespace aiserve::inline v0::decide
