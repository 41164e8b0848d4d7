// Utf8Stream: tells whether bytes that come in pieces are UTF-8 (RFC 3629), and says no at the
// first byte that cannot be. ASCII goes by eight bytes at a time.
#pragma once

#include <cstdint>
#include <string_view>

namespace aiserve::inline v0::http::detail {

class Utf8Stream {
 public:
  // False once the bytes so far are no beginning of valid text.
  bool feed(std::string_view bytes) noexcept;
  // No character is cut in two at the end.
  bool complete() const noexcept { return wanted_ == 0; }
  void reset() noexcept { wanted_ = 0; }

 private:
  bool lead(unsigned char byte) noexcept;

  std::uint8_t wanted_ = 0;   // continuation bytes that are still to come
  std::uint8_t lowest_ = 0;   // range of the next one: it excludes overlong forms, surrogates
  std::uint8_t highest_ = 0;  // and what is beyond U+10FFFF
};

}  // namespace aiserve::inline v0::http::detail
