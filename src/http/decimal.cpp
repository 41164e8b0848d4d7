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
constexpr std::int64_t kMicro = 1'000'000;
constexpr int kDecimals = 6;

constexpr char digit(std::uint32_t value) noexcept { return static_cast<char>('0' + value); }

// Of millionths, at least one; mostly thousands of them.
char* write_decimals(char* to, std::uint32_t micros) noexcept {
  *to++ = '.';
  int count = kDecimals;
  if (micros % 1000 == 0) {
    micros /= 1000;
    count = 3;
  }
  for (int i = count; i-- != 0; micros /= 10) to[i] = digit(micros % 10);
  to += count;
  while (to[-1] == '0') --to;
  return to;
}

}  // namespace

// Both integers are exact, so their quotient is the double that is nearest (Clinger, "How to read
// floating point numbers accurately", 1990).
std::optional<double> short_decimal(const JsonNumber& number) noexcept {
  if (number.exponent || number.text.size() > kExactDigits + (number.minus ? 1 : 0)) {
    return std::nullopt;
  }
  const double value = static_cast<double>(number.digits) / kPowers[number.decimals];
  return number.minus ? -value : value;
}

// No two decimals of up to 15 digits are the same double: if there is one with six decimals, then,
// without its zeros, it is the shortest there is.
char* write_short_decimal(char* to, double number) noexcept {
  const double size = std::fabs(number);
  if (!(size >= kLeast && size < kBeyond)) return nullptr;
  // Whether that was the right way to round, the quotient tells.
  // NOLINTNEXTLINE(bugprone-incorrect-roundings): std::llround() is a call
  const auto micros = static_cast<std::int64_t>(size * kPowers[kDecimals] + 0.5);
  if (static_cast<double>(micros) / kPowers[kDecimals] != size) return nullptr;
  if (number < 0) *to++ = '-';
  const auto whole = static_cast<std::uint32_t>(micros / kMicro);
  const auto rest = static_cast<std::uint32_t>(micros % kMicro);
  if (whole < 10) {
    *to++ = digit(whole);
  } else {
    to = std::to_chars(to, to + 5, whole).ptr;
  }
  return rest == 0 ? to : write_decimals(to, rest);
}

}  // namespace aiserve::inline v0::http::detail
