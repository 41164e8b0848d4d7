#include "decide/length_buckets.hpp"

#include <algorithm>
#include <bit>

namespace aiserve::inline v0::decide {
namespace {

// Lengths below 2^kLinearBits have a cell each, longer ones share 2^kStepBits cells an octave.
constexpr unsigned kLinearBits = 6;
constexpr unsigned kStepBits = 5;
constexpr unsigned kOctaves = 31;
constexpr std::size_t kLinear = std::size_t{1} << kLinearBits;
constexpr std::size_t kSteps = std::size_t{1} << kStepBits;
constexpr std::size_t kCells = kLinear + (kOctaves - kLinearBits) * kSteps;

std::size_t cell_of(std::int64_t length) noexcept {
  const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(length, 1));
  if (value < kLinear) return value;
  const auto octave = static_cast<unsigned>(std::bit_width(value)) - 1;
  const std::uint64_t step = (value >> (octave - kStepBits)) - kSteps;
  return std::min(kLinear + (octave - kLinearBits) * kSteps + step, kCells - 1);
}

// Goes on beyond the last edge, so that longer requests than any so far find a bucket too.
void append_geometric(std::vector<std::int64_t>& edges) {
  for (std::int64_t octave = 8;; octave *= 2) {
    for (const std::int64_t edge : {octave, octave / 4 * 5, octave / 2 * 3}) {
      if (edges.size() == LengthBuckets::kMaxEdges) return;
      if (edges.empty() || edge > edges.back()) edges.push_back(edge);
    }
  }
}

}  // namespace

LengthBuckets::LengthBuckets(std::vector<std::int64_t> edges)
    : learned_(edges.empty()), edges_(std::move(edges)) {
  if (!learned_) return;
  append_geometric(edges_);
  cells_.resize(kCells);
}

std::uint32_t LengthBuckets::bucket_of(std::int64_t length) const noexcept {
  const auto edge = std::lower_bound(edges_.begin(), edges_.end(), length);
  return static_cast<std::uint32_t>(edge - edges_.begin());
}

bool LengthBuckets::observe(std::int64_t length) {
  if (!learned_) return false;
  Cell& cell = cells_[cell_of(length)];
  ++cell.count;
  cell.longest = std::max(cell.longest, length);
  if (++since_ < kRelearnEvery) return false;
  since_ = 0;
  const bool changed = relearn();
  fade();
  return changed;
}

bool LengthBuckets::relearn() {
  std::vector<std::int64_t> better = quantiles();
  if (padding(better) >= (1 - kGain) * padding(edges_)) return false;
  edges_ = std::move(better);
  return true;
}

std::vector<std::int64_t> LengthBuckets::quantiles() const {
  std::uint64_t total = 0;
  for (const Cell& cell : cells_) total += cell.count;
  std::vector<std::int64_t> edges;
  std::uint64_t below = 0;
  std::uint64_t parts = 0;  // complete so far; one frequent length may be several of them
  for (const Cell& cell : cells_) {
    below += cell.count;
    const std::uint64_t complete = below * kLearnedEdges / std::max<std::uint64_t>(total, 1);
    if (complete > parts) edges.push_back(cell.longest);
    parts = complete;
  }
  append_geometric(edges);
  return edges;
}

// What rows would be filled up with, up to the edge of their bucket. Rows without an edge count as
// much as they are long: they share one bucket, whatever their lengths.
double LengthBuckets::padding(const std::vector<std::int64_t>& edges) const {
  double sum = 0;
  auto edge = edges.begin();
  for (const Cell& cell : cells_) {
    if (cell.count == 0) continue;
    edge = std::lower_bound(edge, edges.end(), cell.longest);
    const std::int64_t filled = edge == edges.end() ? 2 * cell.longest : *edge;
    sum += static_cast<double>(filled - cell.longest) * cell.count;
  }
  return sum;
}

void LengthBuckets::fade() noexcept {
  for (Cell& cell : cells_) {
    cell.count /= 2;
    if (cell.count == 0) cell.longest = 0;
  }
}

}  // namespace aiserve::inline v0::decide
