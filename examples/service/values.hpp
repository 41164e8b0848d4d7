/// How option values are written: durations with a unit ("250ms", "10s"), and the nearest known
/// name for one that nobody knows.
/// *Thread safety:* free functions without shared state.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace service {

/// A decimal integer, nothing before or behind it.
std::optional<long long> parse_integer(std::string_view text);
/// "1500ms", "10s", "2min" or "1h"; the unit is required.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
/// In the largest unit that divides it.
std::string format_duration(std::chrono::milliseconds value);

/// The name with the fewest changed letters (Levenshtein 1965), the first of several.
std::string_view nearest(std::string_view name, std::span<const std::string> known);

}  // namespace service
