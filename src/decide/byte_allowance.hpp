// ByteAllowance: bounds the bytes of what lives for a fixed time, without a list of what there is.
// Pure. At any moment at most two periods' worth is alive, so each period is given half.
#pragma once

#include <cstddef>

#include "decide/freshness.hpp"

namespace aiserve::inline v0::decide {

class ByteAllowance {
 public:
  /// `lifetime` > 0.
  ByteAllowance(std::size_t capacity, Nanos lifetime) noexcept
      : half_(capacity / 2), lifetime_(lifetime) {}

  bool take(std::size_t bytes, Nanos now) noexcept {
    if (now >= period_end_) {
      period_end_ = saturating_add(now, lifetime_);
      used_ = 0;
    }
    if (bytes > half_ - used_) return false;
    used_ += bytes;
    return true;
  }

 private:
  std::size_t half_;
  Nanos lifetime_;
  std::size_t used_ = 0;
  Nanos period_end_ = INT64_MIN;
};

}  // namespace aiserve::inline v0::decide
