// Retention: how much longer an entry stays because it was dear for its size. Pure.
//
// As in GreedyDual-Size (Cao and Irani, USITS 1997) what counts is cost per byte, here against the
// average of what the tenant has: four times as dear is one more lap, 16 times two, 64 times three.
#pragma once

#include <cstddef>
#include <cstdint>

namespace aiserve::inline v0::decide {

/// The average cost per byte of what came in; fades.
class CostAverage {
 public:
  /// `cost` of 0 means unknown, and is not counted.
  void add(double cost, std::size_t bytes) noexcept;
  double per_byte() const noexcept { return bytes_ > 0 ? cost_ / bytes_ : 0; }

 private:
  double cost_ = 0;
  double bytes_ = 0;
};

/// 0 to 3 laps; 0 when a cost is unknown. `bytes` is at least 1.
std::uint8_t laps(double cost, std::size_t bytes, double average_per_byte) noexcept;

}  // namespace aiserve::inline v0::decide
