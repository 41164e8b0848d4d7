#include "http/byte_range.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "http/char_class.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

// Digits only; what doesn't fit 64 bits is beyond every file.
std::optional<std::uint64_t> number(std::string_view text) noexcept {
  if (text.empty() ||
      !std::all_of(text.begin(), text.end(), [](char c) { return is(c, kDigit); })) {
    return std::nullopt;
  }
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc() ? value : UINT64_MAX;
}

// "a-b", "a-" or "-n". False if malformed; `range.size` is 0 if the file has nothing of it.
bool parse_one(std::string_view text, std::uint64_t size, ByteRange& range) noexcept {
  range = {};
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return false;
  const auto last = number(text.substr(dash + 1));
  if (dash == 0) {
    if (!last) return false;
    range.size = std::min(*last, size);
    range.begin = size - range.size;
    return true;
  }
  const auto first = number(text.substr(0, dash));
  const bool open = dash + 1 == text.size();
  if (!first || (!open && (!last || *last < *first))) return false;
  if (*first >= size) return true;
  range.begin = *first;
  range.size = (open ? size : std::min(size - 1, *last) + 1) - *first;
  return true;
}

}  // namespace

RangeChoice choose_ranges(std::string_view field, std::uint64_t size, std::size_t max_ranges) {
  constexpr std::string_view kUnit = "bytes=";
  RangeChoice choice;
  if (field.size() < kUnit.size() || !iequals(field.substr(0, kUnit.size()), kUnit)) return choice;
  field.remove_prefix(kUnit.size());
  std::uint64_t together = 0;
  std::size_t asked = 0;
  for (bool more = true; more;) {
    const std::size_t comma = field.find(',');
    more = comma != std::string_view::npos;
    const std::string_view one = trim(field.substr(0, comma));
    if (more) field.remove_prefix(comma + 1);
    ByteRange range;
    if (++asked > max_ranges || !parse_one(one, size, range)) return {};
    if (range.size == 0) continue;
    together += range.size;
    if (together > size) return {};
    choice.ranges.push_back(range);
  }
  choice.kind = choice.ranges.empty() ? RangeChoice::Kind::unsatisfiable : RangeChoice::Kind::parts;
  return choice;
}

}  // namespace aiserve::inline v0::http::detail
