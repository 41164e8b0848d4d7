#include "http/utf8_stream.hpp"

#include <cstddef>
#include <cstring>

namespace aiserve::inline v0::http::detail {
namespace {

std::size_t ascii_prefix(std::string_view bytes) noexcept {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  std::size_t at = 0;
  for (; bytes.size() - at >= 8; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    if ((word & kHighBits) != 0) break;
  }
  while (at < bytes.size() && static_cast<unsigned char>(bytes[at]) < 0x80) ++at;
  return at;
}

}  // namespace

// The ranges are those of RFC 3629, section 4.
bool Utf8Stream::lead(unsigned char byte) noexcept {
  lowest_ = 0x80;
  highest_ = 0xBF;
  if (byte < 0xC2 || byte > 0xF4) return false;
  wanted_ = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
  if (byte == 0xE0) lowest_ = 0xA0;
  if (byte == 0xED) highest_ = 0x9F;
  if (byte == 0xF0) lowest_ = 0x90;
  if (byte == 0xF4) highest_ = 0x8F;
  return true;
}

bool Utf8Stream::feed(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    if (wanted_ == 0) {
      bytes.remove_prefix(ascii_prefix(bytes));
      if (bytes.empty()) return true;
      if (!lead(static_cast<unsigned char>(bytes.front()))) return false;
    } else {
      const auto byte = static_cast<unsigned char>(bytes.front());
      if (byte < lowest_ || byte > highest_) return false;
      lowest_ = 0x80;
      highest_ = 0xBF;
      --wanted_;
    }
    bytes.remove_prefix(1);
  }
  return true;
}

}  // namespace aiserve::inline v0::http::detail
