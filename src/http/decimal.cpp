#include "http/decimal.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>

namespace aiserve::inline v0::http::detail {
namespace {

constexpr std::size_t kExactDigits = 15;  // any integer of so many is a double
constexpr double kPowers[kExactDigits + 1] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                              1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
constexpr double kLeast = 1e-3;  // outside of these to_chars may choose an exponent
constexpr double kBeyond = 1e5;
constexpr std::uint64_t kMicro = 1'000'000;
constexpr int kDecimals = 6;

}  // namespace

// Both integers are exact, so their quotient is the double that is nearest (Clinger, "How to read
// floating point numbers accurately", 1990).
std::optional<double> read_short_decimal(std::string_view number) noexcept {
  const bool minus = number.starts_with('-');
  if (minus) number.remove_prefix(1);
  if (number.size() > kExactDigits) return std::nullopt;
  std::uint64_t digits = 0;
  std::size_t decimals = 0;
  for (std::size_t i = 0; i < number.size(); ++i) {
    const char c = number[i];
    if (c >= '0' && c <= '9') {
      digits = digits * 10 + static_cast<unsigned>(c - '0');
    } else if (c == '.') {
      decimals = number.size() - i - 1;
    } else {
      return std::nullopt;
    }
  }
  const double value = static_cast<double>(digits) / kPowers[decimals];
  return minus ? -value : value;
}

// No two decimals of up to 15 digits are the same double: if there is one with six decimals, then,
// without its zeros, it is the shortest there is.
char* write_short_decimal(char* to, double number) noexcept {
  const double size = std::fabs(number);
  if (!(size >= kLeast && size < kBeyond)) return nullptr;
  const auto micros = static_cast<std::uint64_t>(std::llround(size * kPowers[kDecimals]));
  if (static_cast<double>(micros) / kPowers[kDecimals] != size) return nullptr;
  if (number < 0) *to++ = '-';
  to = std::to_chars(to, to + 5, micros / kMicro).ptr;
  std::uint64_t rest = micros % kMicro;
  if (rest == 0) return to;
  *to++ = '.';
  for (std::uint64_t unit = kMicro / 10; rest != 0; unit /= 10) {
    *to++ = static_cast<char>('0' + rest / unit);
    rest %= unit;
  }
  return to;
}

}  // namespace aiserve::inline v0::http::detail
