// Short decimals ("0.125"), which nearly all numbers in JSON are, without the work that numbers of
// any length need. Both give exactly what std::from_chars and std::to_chars do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace aiserve::inline v0::http::detail {

// A JSON number as it stands, and what was seen of its value on the way.
struct JsonNumber {
  std::string_view text;
  std::uint64_t digits = 0;  // with those behind the point; meaningless if they don't fit
  std::uint32_t decimals = 0;
  bool minus = false;
  bool exponent = false;

  bool integer() const noexcept { return decimals == 0 && !exponent; }
};

// Nothing if it has an exponent, or more than 15 characters behind its sign.
std::optional<double> short_decimal(const JsonNumber& number) noexcept;

inline constexpr std::size_t kShortDecimal = 16;
// Writes up to kShortDecimal characters and returns their end; null if the number is not one of at
// most six decimals between 0.001 and 100,000.
char* write_short_decimal(char* to, double number) noexcept;

}  // namespace aiserve::inline v0::http::detail
