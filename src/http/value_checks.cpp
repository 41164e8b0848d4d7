// What is wrong with a value of the right type, in words that can be shown.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "http/json_decoder.hpp"
#include "http/text_pattern.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

bool less(AnyInteger a, AnyInteger b) noexcept {
  if (a.negative != b.negative) return a.negative;
  return a.negative ? a.magnitude > b.magnitude : a.magnitude < b.magnitude;
}

std::string text_of(AnyInteger integer) {
  return (integer.negative ? "-" : "") + std::to_string(integer.magnitude);
}

std::string text_of(double number) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
  return {buffer.data(), end.ptr};
}

// Of valid UTF-8.
std::size_t count_characters(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string counted(std::size_t n, std::string_view unit) {
  return std::to_string(n) + " " + std::string(unit) + (n == 1 ? "" : "s");
}

}  // namespace

std::string size_problem(std::size_t size, const Checks& checks, std::string_view unit) {
  if (size < checks.min_size) return "must have at least " + counted(checks.min_size, unit);
  if (size > checks.max_size) return "must have at most " + counted(checks.max_size, unit);
  return {};
}

std::string problem_of(std::string_view text, const Checks& checks) {
  std::string problem = size_problem(count_characters(text), checks, "character");
  if (!problem.empty() || checks.pattern == nullptr || checks.pattern->matches(text)) {
    return problem;
  }
  return "must match " + checks.pattern_text;
}

std::string problem_of(AnyInteger integer, const IntegerType& type, const Checks& checks) {
  const AnyInteger least = checks.least_integer.value_or(type.least);
  const AnyInteger most = checks.most_integer.value_or(type.most);
  if (less(integer, least)) return "must be at least " + text_of(least);
  if (less(most, integer)) return "must be at most " + text_of(most);
  return {};
}

std::string problem_of(double number, const NumberType& type, const Checks& checks) {
  if (type.single && std::isinf(static_cast<float>(number))) return "must fit a 32-bit float";
  if (checks.minimum && number < *checks.minimum) {
    return "must be at least " + text_of(*checks.minimum);
  }
  if (checks.maximum && number > *checks.maximum) {
    return "must be at most " + text_of(*checks.maximum);
  }
  if (checks.above && number <= *checks.above) return "must be above " + text_of(*checks.above);
  if (checks.below && number >= *checks.below) return "must be below " + text_of(*checks.below);
  return {};
}

std::string choices_of(const EnumType& type) {
  std::string text = "must be one of ";
  for (const auto& [name, value] : type.values) {
    if (!text.ends_with(" of ")) text += ", ";
    text += '"' + name + '"';
  }
  return text;
}

}  // namespace aiserve::inline v0::http::detail
