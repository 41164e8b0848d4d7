// The Range field (RFC 9110 section 14).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace aiserve::inline v0::http::detail {

struct ByteRange {
  std::uint64_t begin = 0;
  std::uint64_t size = 0;
};

struct RangeChoice {
  enum class Kind : std::uint8_t {
    whole,         // no range, a malformed one, another unit, too much of it: the whole file
    parts,         // `ranges`
    unsatisfiable  // 416
  };
  Kind kind = Kind::whole;
  std::vector<ByteRange> ranges;  // clipped to the file, in the order asked for
};

// More than `max_ranges`, or together longer than the file, is an attack on whoever answers
// (section 17.15) and gets the whole.
RangeChoice choose_ranges(std::string_view field, std::uint64_t size, std::size_t max_ranges);

}  // namespace aiserve::inline v0::http::detail
