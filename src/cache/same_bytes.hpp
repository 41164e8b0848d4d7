// same_bytes(): equality of short strings without a call.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace aiserve::inline v0::detail {

inline std::uint64_t load_word(const char* at) noexcept {
  std::uint64_t value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

inline std::uint32_t load_half(const char* at) noexcept {
  std::uint32_t value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

inline bool same_bytes(std::string_view a, std::string_view b) noexcept {
  const std::size_t size = a.size();
  if (size != b.size()) return false;
  if (size > 32) return a == b;
  if (size >= 4 && size < 8) {
    return load_half(a.data()) == load_half(b.data()) &&
           load_half(a.data() + size - 4) == load_half(b.data() + size - 4);
  }
  if (size < 4) {
    for (std::size_t i = 0; i < size; ++i) {
      if (a[i] != b[i]) return false;
    }
    return true;
  }
  for (std::size_t at = 0; at + 8 < size; at += 8) {
    if (load_word(a.data() + at) != load_word(b.data() + at)) return false;
  }
  return load_word(a.data() + size - 8) == load_word(b.data() + size - 8);
}

}  // namespace aiserve::inline v0::detail
