// Dates of HTTP (RFC 9110 section 5.6.7), without the locale that strftime would ask.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aiserve::inline v0::http::detail {

// "Sun, 06 Nov 1994 08:49:37 GMT", from seconds since 1970.
void append_http_date(std::string& out, std::int64_t seconds);

// That form, and the two obsolete ones ("Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37
// 1994") that a recipient must take. A two-digit year is read as 1970 to 2069.
std::optional<std::int64_t> parse_http_date(std::string_view text) noexcept;

}  // namespace aiserve::inline v0::http::detail
