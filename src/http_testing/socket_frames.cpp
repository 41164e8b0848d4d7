#include "http_testing/socket_frames.hpp"

#include <array>

namespace aiserve::inline v0::http::detail {
namespace {

constexpr std::array<unsigned char, 4> kMask{0x37, 0xfa, 0x21, 0x3d};
constexpr unsigned kMasked = 0x80;
constexpr unsigned kLast = 0x80;

unsigned byte_at(std::string_view text, std::size_t i) noexcept {
  return static_cast<unsigned char>(text[i]);
}

void append_number(std::string& out, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>((value >> (8 * i)) & 0xff);
}

}  // namespace

std::string client_frame(unsigned char opcode, std::string_view payload) {
  std::string frame(1, static_cast<char>(kLast | opcode));
  if (payload.size() < 126) {
    frame += static_cast<char>(kMasked | payload.size());
  } else if (payload.size() < 65'536) {
    frame += static_cast<char>(kMasked | 126u);
    append_number(frame, payload.size(), 2);
  } else {
    frame += static_cast<char>(kMasked | 127u);
    append_number(frame, payload.size(), 8);
  }
  for (const unsigned char key : kMask) frame += static_cast<char>(key);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    frame += static_cast<char>(byte_at(payload, i) ^ kMask[i % kMask.size()]);
  }
  return frame;
}

std::optional<SocketFrame> take_frame(std::string& received) {
  if (received.size() < 2) return std::nullopt;
  std::uint64_t length = byte_at(received, 1) & 0x7f;
  const std::size_t more = length == 126 ? 2 : length == 127 ? 8 : 0;
  const std::size_t head = 2 + more;
  if (received.size() < head) return std::nullopt;
  if (more != 0) length = 0;
  for (std::size_t i = 2; i < head; ++i) length = (length << 8) | byte_at(received, i);
  if (received.size() - head < length) return std::nullopt;
  const unsigned first = byte_at(received, 0);
  SocketFrame frame{static_cast<unsigned char>(first & 0x0f), (first & kLast) != 0,
                    received.substr(head, static_cast<std::size_t>(length))};
  received.erase(0, head + static_cast<std::size_t>(length));
  return frame;
}

}  // namespace aiserve::inline v0::http::detail
