// Times as an entry keeps them: milliseconds since the cache was made, and durations in four bytes.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "aiserve/core/deadline.hpp"

namespace aiserve::inline v0::detail {

/// A duration: exact milliseconds up to 24 days, seconds up to 68 years, or without end.
class ShortDuration {
 public:
  static constexpr std::uint64_t kEndless = UINT64_MAX;

  constexpr ShortDuration() noexcept = default;
  /// Rounds down, but not to nothing.
  constexpr explicit ShortDuration(Duration duration) noexcept {
    if (duration <= Duration::zero()) return;
    const auto ms = static_cast<std::uint64_t>(duration.count()) / 1'000'000;
    const std::uint64_t seconds = ms / 1000;
    if (ms < kSeconds) {
      code_ = std::max<std::uint32_t>(1, static_cast<std::uint32_t>(ms));
    } else if (seconds < kSeconds - 1) {
      code_ = kSeconds | static_cast<std::uint32_t>(seconds);
    } else {
      code_ = kNoEnd;
    }
  }
  static constexpr ShortDuration endless() noexcept { return ShortDuration(Duration::max()); }

  constexpr std::uint64_t ms() const noexcept {
    if (code_ < kSeconds) return code_;
    return code_ == kNoEnd ? kEndless : std::uint64_t{code_ & ~kSeconds} * 1000;
  }

 private:
  static constexpr std::uint32_t kSeconds = 0x80000000;
  static constexpr std::uint32_t kNoEnd = 0xffffffff;

  std::uint32_t code_ = 0;
};

/// A cost in two bytes: 5 bits of exponent, 11 of mantissa; off by at most 0.05 %, ends at 73 min.
class ShortCost {
 public:
  constexpr ShortCost() noexcept = default;
  constexpr explicit ShortCost(Duration cost) noexcept {
    const auto exact = static_cast<std::uint64_t>(std::max(cost, Duration::zero()).count());
    const int width = static_cast<int>(std::bit_width(exact));
    auto exponent = static_cast<std::uint32_t>(std::max(width - kMantissaBits, 0));
    std::uint64_t ns = (exact + (std::uint64_t{1} << exponent) - 1) >> exponent;
    if (ns > kMantissa) {
      ns /= 2;
      ++exponent;
    }
    code_ = exponent > 31 ? 0xffff : static_cast<std::uint16_t>(exponent << 11 | ns);
  }
  constexpr std::uint64_t ns() const noexcept {
    return std::uint64_t{code_ & kMantissa} << (code_ >> 11);
  }

 private:
  static constexpr int kMantissaBits = 11;
  static constexpr std::uint32_t kMantissa = (1 << kMantissaBits) - 1;
  std::uint16_t code_ = 0;
};

}  // namespace aiserve::inline v0::detail
