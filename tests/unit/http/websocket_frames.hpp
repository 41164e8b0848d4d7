// What a WebSocket client sends, and what it reads, for tests.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/websocket_frame.hpp"

namespace aiserve::http::detail {

struct ClientFrame {
  Opcode opcode = Opcode::text;
  std::string_view payload = {};
  bool last = true;
  unsigned reserved = 0;  // RSV1 to RSV3 as 4, 2, 1
  bool masked = true;
  std::array<char, 4> mask = {'\x37', '\xfa', '\x21', '\x3d'};
};

// The shortest encoding of its length.
inline std::string wire(const ClientFrame& frame) {
  std::string out;
  append_frame_header(out, frame.opcode, frame.payload.size());
  auto first = static_cast<unsigned char>(out[0]);
  if (!frame.last) first &= 0x7F;
  out[0] = static_cast<char>(first | (frame.reserved << 4));
  if (!frame.masked) return out.append(frame.payload);
  out[1] = static_cast<char>(static_cast<unsigned char>(out[1]) | 0x80);
  out.append(frame.mask.data(), frame.mask.size());
  for (std::size_t i = 0; i < frame.payload.size(); ++i) {
    out += static_cast<char>(frame.payload[i] ^ frame.mask[i % 4]);
  }
  return out;
}

inline std::string client_text(std::string_view text) { return wire({.payload = text}); }
inline std::string client_close(std::uint16_t code, std::string_view reason = "") {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
  payload += reason;
  return wire({.opcode = Opcode::close, .payload = payload});
}

struct ServerFrame {
  Opcode opcode = Opcode::text;
  bool compressed = false;
  std::string payload;

  std::uint16_t code() const {
    if (payload.size() < 2) return 0;
    return static_cast<std::uint16_t>(static_cast<unsigned char>(payload[0]) << 8 |
                                      static_cast<unsigned char>(payload[1]));
  }
};

// The whole frames that `bytes` begin with; they are taken off. Fails on a masked or a fragmented
// frame, which our server never sends, by giving a frame of opcode 0.
inline std::vector<ServerFrame> take_server_frames(std::string& bytes) {
  std::vector<ServerFrame> frames;
  std::size_t at = 0;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[at + i]); };
  while (bytes.size() - at >= 2) {
    std::size_t length = byte(1) & 0x7F;
    const std::size_t extra = length == 127 ? 8 : length == 126 ? 2 : 0;
    if (bytes.size() - at < 2 + extra) break;
    if (extra != 0) length = 0;
    for (std::size_t i = 0; i < extra; ++i) length = length << 8 | byte(2 + i);
    if (bytes.size() - at < 2 + extra + length) break;
    const bool sound = (byte(0) & 0x80) != 0 && (byte(1) & 0x80) == 0;
    frames.push_back({.opcode = sound ? static_cast<Opcode>(byte(0) & 0xF) : Opcode::continuation,
                      .compressed = (byte(0) & 0x40) != 0,
                      .payload = bytes.substr(at + 2 + extra, length)});
    at += 2 + extra + length;
  }
  bytes.erase(0, at);
  return frames;
}

}  // namespace aiserve::http::detail
