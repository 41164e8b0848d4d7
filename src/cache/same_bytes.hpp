// same_bytes(): equality of short strings without a call.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace aiserve::inline v0::detail {

inline bool same_bytes(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  const auto word = [](const char* at) {
    std::uint64_t value;
    std::memcpy(&value, at, sizeof(value));
    return value;
  };
  const std::size_t size = a.size();
  if (size < 8 || size > 32) return a == b;
  for (std::size_t at = 0; at + 8 < size; at += 8) {
    if (word(a.data() + at) != word(b.data() + at)) return false;
  }
  return word(a.data() + size - 8) == word(b.data() + size - 8);
}

}  // namespace aiserve::inline v0::detail
