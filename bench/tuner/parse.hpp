// Numbers, durations and lists as they stand on the command line. All throw UsageError, naming
// `what` the text was meant to be.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/arrivals.hpp"

namespace tuner {

/// A finite decimal number from `low` to `high`.
double parse_number(std::string_view text, std::string_view what, double low, double high);
/// Digits only.
std::int64_t parse_whole(std::string_view text, std::string_view what, std::int64_t low,
                         std::int64_t high);
/// "10ms", "250us", "1.5s", "800ns"; above zero, at most an hour.
Nanos parse_duration(std::string_view text, std::string_view what);
/// "0.8ms", "12us" as people write it.
std::string duration_text(double nanos);

std::vector<std::string_view> split(std::string_view text, char separator);

/// One arrival per line: seconds, ascending; empty lines and what follows a # are skipped. Errors
/// name the line.
std::vector<Nanos> parse_arrival_file(std::string_view text);

/// A tenant of a mix: how much it may have and how much it asks for.
struct TenantLoad {
  std::string name;
  double weight = 1;
  double per_second = 0;

  friend bool operator==(const TenantLoad&, const TenantLoad&) = default;
};

/// "a:1:300,b:3:3000": name, weight, requests per second.
std::vector<TenantLoad> parse_tenants(std::string_view text);

}  // namespace tuner
