#include "http/websocket_frame.hpp"

#include <algorithm>
#include <cstring>

namespace aiserve::inline v0::http::detail {
namespace {

constexpr unsigned kFin = 0x80;
constexpr unsigned kRsv1 = 0x40;
constexpr unsigned kRsv23 = 0x30;
constexpr unsigned kMasked = 0x80;
constexpr unsigned kLength16 = 126;
constexpr unsigned kLength64 = 127;

constexpr std::size_t header_size(unsigned char second) noexcept {
  const unsigned length = second & 0x7Fu;
  return 2u + (length == kLength64 ? 8u : length == kLength16 ? 2u : 0u) + 4u;
}

constexpr bool is_known(unsigned opcode) noexcept {
  return opcode <= 2 || (opcode >= 8 && opcode <= 10);
}

std::uint64_t big_endian(const char* bytes, std::size_t size) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

char* put_big_endian(char* to, std::uint64_t value, std::size_t size) noexcept {
  for (std::size_t i = size; i-- != 0;) *to++ = static_cast<char>(value >> (8 * i) & 0xFF);
  return to;
}

}  // namespace

bool is_close_code(std::uint16_t code) noexcept {
  // 1004 is reserved; 1005, 1006 and 1015 never go over the wire.
  if (code >= 1000 && code <= 1014) return code != 1004 && code != 1005 && code != 1006;
  return code >= 3000 && code <= 4999;
}

FrameParser::Outcome FrameParser::parse(std::string_view& input, FrameHeader& header) noexcept {
  if (held_ != 0 || input.size() < 2) return hold(input, header);
  const std::size_t size = header_size(static_cast<unsigned char>(input[1]));
  if (input.size() < size) return hold(input, header);
  const char* const bytes = input.data();
  input.remove_prefix(size);
  return decode(bytes, size, header);
}

// The header comes in pieces: gathers it. What its first two bytes say is refused at once.
FrameParser::Outcome FrameParser::hold(std::string_view& input, FrameHeader& header) noexcept {
  while (!input.empty()) {
    bytes_[held_++] = input.front();
    input.remove_prefix(1);
    if (held_ < 2) continue;
    const auto first = static_cast<unsigned char>(bytes_[0]);
    const auto second = static_cast<unsigned char>(bytes_[1]);
    if (held_ == 2 && !accepts(first, second)) return Outcome::failed;
    if (const std::size_t size = header_size(second); held_ == size) {
      held_ = 0;
      return decode(bytes_.data(), size, header);
    }
  }
  return Outcome::more;
}

bool FrameParser::accepts(unsigned char first, unsigned char second) noexcept {
  const unsigned opcode = first & 0x0Fu;
  const unsigned length = second & 0x7Fu;
  if (!is_known(opcode)) return refuse("unknown opcode");
  if ((first & kRsv23) != 0) return refuse("reserved bits are set");
  const bool control = opcode >= 8;
  if ((first & kRsv1) != 0) {
    if (!deflate_) return refuse("compressed, but no compression was agreed on");
    if (control || opcode == 0) return refuse("only the first frame of a message is compressed");
  }
  if ((second & kMasked) == 0) return refuse("a frame of a client must be masked");
  if (control && (first & kFin) == 0) return refuse("a control frame must not be fragmented");
  if (control && length > kMaxControl) return refuse("a control frame is longer than 125 bytes");
  return true;
}

FrameParser::Outcome FrameParser::decode(const char* bytes, std::size_t size,
                                         FrameHeader& header) noexcept {
  const auto first = static_cast<unsigned char>(bytes[0]);
  const auto second = static_cast<unsigned char>(bytes[1]);
  if (!accepts(first, second)) return Outcome::failed;
  const unsigned short_length = second & 0x7Fu;
  header.opcode = static_cast<Opcode>(first & 0x0Fu);
  header.last = (first & kFin) != 0;
  header.compressed = (first & kRsv1) != 0;
  header.length = short_length < kLength16 ? short_length : big_endian(bytes + 2, size - 6);
  const std::uint64_t least = short_length == kLength64   ? 0x10000
                              : short_length == kLength16 ? kLength16
                                                          : 0;
  if (header.length < least) refuse("a length is not encoded in as few bytes as it fits");
  if (header.length >> 63 != 0) refuse("a length of 2^63 bytes or more");
  if (!reason_.empty()) return Outcome::failed;
  std::memcpy(header.mask.data(), bytes + size - 4, 4);
  return Outcome::done;
}

void unmask(char* data, std::size_t size, const std::array<char, 4>& mask,
            std::uint64_t offset) noexcept {
  std::array<char, 8> key;
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = mask[(offset + i) % 4];
  std::uint64_t word_key = 0;
  std::memcpy(&word_key, key.data(), sizeof word_key);
  std::size_t at = 0;
  for (; size - at >= sizeof word_key; at += sizeof word_key) {
    std::uint64_t word = 0;
    std::memcpy(&word, data + at, sizeof word);
    word ^= word_key;
    std::memcpy(data + at, &word, sizeof word);
  }
  for (; at < size; ++at) data[at] = static_cast<char>(data[at] ^ key[at % 8]);
}

void append_frame_header(std::string& out, Opcode opcode, std::size_t length, bool compressed) {
  std::array<char, 10> bytes;
  char* end = bytes.data();
  *end++ = static_cast<char>(kFin | (compressed ? kRsv1 : 0u) | static_cast<unsigned>(opcode));
  if (length < kLength16) {
    *end++ = static_cast<char>(length);
  } else if (length <= 0xFFFF) {
    *end++ = static_cast<char>(kLength16);
    end = put_big_endian(end, length, 2);
  } else {
    *end++ = static_cast<char>(kLength64);
    end = put_big_endian(end, length, 8);
  }
  out.append(bytes.data(), end);
}

void append_frame(std::string& out, Opcode opcode, std::string_view payload, bool compressed) {
  append_frame_header(out, opcode, payload.size(), compressed);
  out.append(payload);
}

}  // namespace aiserve::inline v0::http::detail
