// Short decimals ("0.125"), which nearly all numbers in JSON are, without the work that numbers of
// any length need. Both give exactly what std::from_chars and std::to_chars do.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace aiserve::inline v0::http::detail {

// Of a JSON number. Nothing if it has an exponent or more than 15 characters.
std::optional<double> read_short_decimal(std::string_view number) noexcept;

inline constexpr std::size_t kShortDecimal = 16;
// Writes up to kShortDecimal characters and returns their end; null if the number is not one of at
// most six decimals between 0.001 and 100,000.
char* write_short_decimal(char* to, double number) noexcept;

}  // namespace aiserve::inline v0::http::detail
