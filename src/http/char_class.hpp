// The character classes of RFC 9110 and RFC 3986 that the parser needs, as one table of bits.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace aiserve::inline v0::http::detail {

enum CharClass : std::uint8_t {
  kToken = 1,   // RFC 9110 tchar: header names, methods, chunk extension names
  kField = 2,   // field-vchar, space and tab: no control character, no DEL
  kTarget = 4,  // what a request-target may hold: visible ASCII but '#'
  kHost = 8,    // a reg-name without the comma, which would let two Host fields merge into one
  kDigit = 16,
  kHex = 32,
  kPathPlain = 64,  // of kTarget all but what may make a path ambiguous
  kToken68 = 128,   // RFC 9110 token68 and RFC 6750 b64token, but for where its '=' may stand
};

constexpr std::array<std::uint8_t, 256> make_char_classes() {
  std::array<std::uint8_t, 256> table{};
  const auto mark = [&table](std::string_view chars, std::uint8_t bits) {
    for (const char c : chars) table[static_cast<unsigned char>(c)] |= bits;
  };
  for (unsigned c = 0; c < 256; ++c) {
    if ((c >= 0x20 && c != 0x7f) || c == '\t') table[c] |= kField;
    if (c > 0x20 && c < 0x7f && c != '#') table[c] |= kTarget | kPathPlain;
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
      table[c] |= kToken | kHost | kToken68;
    }
  }
  mark("0123456789", kToken | kHost | kDigit | kHex | kToken68);
  mark("-._~+/=", kToken68);
  mark("abcdefABCDEF", kHex);
  mark("!#$%&'*+-.^_`|~", kToken);
  mark("-._~!$&'()*+;=%", kHost);
  for (const char c : std::string_view("%/.\\")) {
    table[static_cast<unsigned char>(c)] &= static_cast<std::uint8_t>(~kPathPlain);
  }
  return table;
}

inline constexpr std::array<std::uint8_t, 256> kCharClasses = make_char_classes();

constexpr bool is(char c, std::uint8_t classes) noexcept {
  return (kCharClasses[static_cast<unsigned char>(c)] & classes) != 0;
}

// The first byte from `at` on that is of none of these classes.
inline const char* end_of(const char* at, const char* end, std::uint8_t classes) noexcept {
  while (at != end && is(*at, classes)) ++at;
  return at;
}

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

constexpr int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// ASCII only, as HTTP compares names and tokens.
constexpr bool iequals(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

// The top bit of the first byte below 0x20 or equal to 0x7f, and of some behind it (Bit Twiddling
// Hacks); 0 if there is none.
constexpr std::uint64_t controls(std::uint64_t word) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kTops = 0x8080808080808080;
  const std::uint64_t below_space = (word - kOnes * 0x20) & ~word;
  const std::uint64_t no_del = word ^ (kOnes * 0x7f);
  return (below_space | ((no_del - kOnes) & ~no_del)) & kTops;
}

// The first byte that is no field content, eight at a time: a tab is a control character that is.
inline const char* field_chars_end(const char* at, const char* end) noexcept {
  static_assert(std::endian::native == std::endian::little);
  while (end - at >= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    const std::uint64_t found = controls(word);
    if (found == 0) {
      at += 8;
      continue;
    }
    at += std::countr_zero(found) / 8;
    if (*at != '\t') return at;
    ++at;
  }
  return end_of(at, end, kField);
}

constexpr std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace aiserve::inline v0::http::detail
