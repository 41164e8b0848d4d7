// Conditional requests (RFC 9110 section 13).
#pragma once

#include <cstdint>
#include <string_view>

namespace aiserve::inline v0::http::detail {

// What the server has.
struct Validators {
  std::string_view etag;           // with its quotes
  std::int64_t last_modified = 0;  // seconds since 1970
};

// What the client says; empty: nothing.
struct Conditions {
  std::string_view if_match{};
  std::string_view if_unmodified_since{};
  std::string_view if_none_match{};
  std::string_view if_modified_since{};
  std::string_view if_range{};
};

// Of a GET or HEAD, in the order of section 13.2.2: 200, 304 or 412.
int check_conditions(const Conditions& conditions, const Validators& have) noexcept;

// If a Range is to be heeded.
bool range_applies(std::string_view if_range, const Validators& have) noexcept;

}  // namespace aiserve::inline v0::http::detail
