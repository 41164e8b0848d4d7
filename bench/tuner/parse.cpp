#include "tuner/parse.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include <fmt/core.h>

#include "tuner/usage_error.hpp"

namespace tuner {
namespace {

// from_chars takes no sign but minus, no spaces, no hexadecimal, and ignores the locale.
bool read(std::string_view text, double& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(value);
}

std::string_view trimmed(std::string_view line) {
  line = line.substr(0, line.find('#'));
  const std::size_t first = line.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

struct Unit {
  std::string_view name;
  double nanos;
};
constexpr std::array<Unit, 4> kUnits{{{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}}};

}  // namespace

double parse_number(std::string_view text, std::string_view what, double low, double high) {
  double value = 0;
  if (read(text, value) && value >= low && value <= high) return value;
  throw UsageError(fmt::format("{}: \"{}\" is no number from {} to {}", what, text, low, high));
}

std::int64_t parse_whole(std::string_view text, std::string_view what, std::int64_t low,
                         std::int64_t high) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (whole && value >= low && value <= high) return value;
  throw UsageError(
      fmt::format("{}: \"{}\" is no whole number from {} to {}", what, text, low, high));
}

Nanos parse_duration(std::string_view text, std::string_view what) {
  for (const Unit& unit : kUnits) {
    if (!text.ends_with(unit.name)) continue;
    double value = 0;
    if (!read(text.substr(0, text.size() - unit.name.size()), value)) continue;
    const double nanos = value * unit.nanos;
    if (nanos >= 1 && nanos <= 3600e9) return std::llround(nanos);
  }
  throw UsageError(fmt::format(
      "{}: \"{}\" is no duration; write it like 800us, 10ms or 1.5s (1 ns to 1 h)", what, text));
}

std::string duration_text(double nanos) {
  const Unit* best = &kUnits[0];
  for (const Unit& unit : kUnits) {
    if (std::fabs(nanos) >= unit.nanos) best = &unit;
  }
  return fmt::format("{:.3g} {}", nanos / best->nanos, best->name);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::vector<Nanos> parse_arrival_file(std::string_view text) {
  std::vector<Nanos> times;
  std::size_t number = 0;
  for (const std::string_view line : split(text, '\n')) {
    ++number;
    const std::string_view word = trimmed(line);
    if (word.empty()) continue;
    const std::string what = fmt::format("arrival file, line {}", number);
    const double seconds = parse_number(word, what, 0, 1e9);
    times.push_back(std::llround(seconds * 1e9));
    if (times.size() > 1 && times.back() < times[times.size() - 2]) {
      throw UsageError(what + ": earlier than the line before; sort the file");
    }
  }
  if (recorded_rate(times) == 0) {
    throw UsageError("arrival file: needs two arrivals at different times at least");
  }
  return times;
}

std::vector<TenantLoad> parse_tenants(std::string_view text) {
  std::vector<TenantLoad> tenants;
  for (const std::string_view part : split(text, ',')) {
    const auto fields = split(part, ':');
    if (fields.size() != 3 || fields[0].empty()) {
      throw UsageError(
          fmt::format("--tenants: \"{}\" is not name:weight:requests_per_second", part));
    }
    for (const TenantLoad& other : tenants) {
      if (other.name == fields[0]) throw UsageError("--tenants: two are named " + other.name);
    }
    tenants.push_back({std::string(fields[0]),
                       parse_number(fields[1], "--tenants, weight", 1e-6, 1e6),
                       parse_number(fields[2], "--tenants, rate", 1e-3, 1e7)});
  }
  return tenants;
}

}  // namespace tuner
