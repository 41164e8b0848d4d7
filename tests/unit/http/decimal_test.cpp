#include "http/decimal.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>
#include <random>
#include <string>

#include <doctest/doctest.h>

#include "http/json_reader.hpp"

namespace aiserve::http::detail {
namespace {

double by_library(std::string_view text) {
  double value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  REQUIRE(end.ec == std::errc());
  return value;
}

std::string by_library(double value) {
  std::array<char, 32> buffer{};
  return {buffer.data(), std::to_chars(buffer.data(), buffer.data() + 32, value).ptr};
}

// Empty if it is none.
std::string by_us(double value) {
  std::array<char, kShortDecimal> buffer{};
  char* const end = write_short_decimal(buffer.data(), value);
  return end == nullptr ? std::string() : std::string(buffer.data(), end);
}

std::optional<double> read_short(std::string_view text) {
  JsonReader reader(text, {});
  JsonNumber number;
  REQUIRE(reader.peek() == JsonToken::number);
  REQUIRE(reader.read_number(number));
  CHECK(number.text == text);
  return short_decimal(number);
}

void check_reading(const std::string& text) {
  CAPTURE(text);
  const auto read = read_short(text);
  if (!read) return;
  const double wanted = by_library(text);
  CHECK(std::memcmp(&*read, &wanted, sizeof wanted) == 0);  // the sign of zero, too
}

TEST_CASE("short decimals are read as the library reads them") {
  for (const char* text :
       {"0", "-0", "0.0", "-0.0", "1", "0.1", "0.125", "-0.3", "123456789012345", "999999999999999",
        "0.0000000000001", "1.0000000000000", "9.9999999999999", "-9999999999999.9"}) {
    REQUIRE(read_short(text));
    check_reading(text);
  }
  for (const char* text : {"1e3", "1E3", "1.5e-3", "1234567890123456", "0.12345678901234"}) {
    CHECK_FALSE(read_short(text));
  }
}

TEST_CASE("short decimals are written as the library writes them") {
  for (const double value : {0.001, 0.5, 0.125, -0.125, 1.0, 10.0, 12345.678901, 99999.999999,
                             0.000999, 99999.0, -7.25, 1.000001, 0.1, 0.3}) {
    CAPTURE(value);
    if (const std::string ours = by_us(value); !ours.empty()) CHECK(ours == by_library(value));
  }
  CHECK(by_us(0.125) == "0.125");
  CHECK(by_us(-99999.5) == "-99999.5");
  CHECK(by_us(-12345.678901) == "-12345.678901");
  for (const double value : {0.0, -0.0, 100'000.0, 0.0009, 1e300, -1e300, 1.0 / 3, 0.1 + 0.2,
                             std::nextafter(0.125, 1.0), std::nan(""), HUGE_VAL}) {
    CAPTURE(value);
    CHECK(by_us(value).empty());
  }
}

TEST_CASE("any number is read and written as by the library, or left to it") {
  std::mt19937_64 random(7);
  int written = 0;
  for (int i = 0; i < 200'000; ++i) {
    const auto digits = static_cast<std::int64_t>(random() % 1'000'000'000'000'000u);
    const double decimal = static_cast<double>(digits) / std::pow(10.0, random() % 16);
    const double near = std::nextafter(decimal, random() % 2 == 0 ? 0.0 : 1e300);
    const double few = static_cast<double>(random() % 100'000'000) / 1000;
    for (const double value : {decimal, near, few, -few}) {
      const std::string wanted = by_library(value);
      check_reading(wanted);
      const std::string ours = by_us(value);
      if (ours.empty()) continue;
      ++written;
      if (ours != wanted) CHECK(ours == wanted);
    }
  }
  CHECK(written > 200'000);
}

}  // namespace
}  // namespace aiserve::http::detail
