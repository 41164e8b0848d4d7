#include "http/websocket_frame.hpp"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "unit/http/websocket_frames.hpp"

namespace aiserve::http::detail {
namespace {

using Outcome = FrameParser::Outcome;

Outcome parse(std::string_view bytes, FrameHeader& header, std::size_t slice,
              bool deflate = false) {
  FrameParser parser(deflate);
  for (; !bytes.empty(); bytes.remove_prefix(std::min(slice, bytes.size()))) {
    std::string_view piece = bytes.substr(0, slice);
    const Outcome outcome = parser.parse(piece, header);
    if (outcome != Outcome::more) return outcome;
  }
  return Outcome::more;
}

// The outcome, which must not depend on the slicing.
Outcome parse(std::string_view bytes, FrameHeader& header, bool deflate = false) {
  const Outcome whole = parse(bytes, header, bytes.size(), deflate);
  for (std::size_t slice = 1; slice < bytes.size(); ++slice) {
    CHECK(parse(bytes, header, slice, deflate) == whole);
  }
  return whole;
}

std::string reason(std::string_view bytes, bool deflate = false) {
  FrameHeader header;
  CHECK(parse(bytes, header, deflate) == Outcome::failed);
  FrameParser parser(deflate);
  std::string_view left = bytes;
  parser.parse(left, header);
  return std::string(parser.reason());
}

TEST_CASE("the masked example of RFC 6455 section 5.7 is read") {
  const std::string bytes = client_text("Hello");
  CHECK(bytes == "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
  FrameHeader header;
  CHECK(parse(bytes, header) == Outcome::done);
  CHECK(header.opcode == Opcode::text);
  CHECK(header.last);
  CHECK_FALSE(header.compressed);
  CHECK(header.length == 5);
  std::string payload = bytes.substr(6);
  unmask(payload.data(), payload.size(), header.mask, 0);
  CHECK(payload == "Hello");
}

TEST_CASE("every form of length is read, in its shortest encoding only") {
  for (const std::size_t length : {0u, 1u, 125u, 126u, 127u, 65'535u, 65'536u, 100'000u}) {
    FrameHeader header;
    const std::string payload(length, 'x');
    const std::string bytes = wire({.opcode = Opcode::binary, .payload = payload});
    CHECK(parse(std::string_view(bytes).substr(0, 20), header) == Outcome::done);
    CHECK(header.length == length);
  }
  using namespace std::string_literals;
  const std::string longer = "a length is not encoded in as few bytes as it fits";
  CHECK(reason("\x82\xFE\x00\x7D"s + "mask") == longer);
  CHECK(reason("\x82\xFF\0\0\0\0\0\0\xFF\xFF"s + "mask") == longer);
  CHECK(reason("\x82\xFF\0\0\0\0\0\0\0\x05"s + "mask") == longer);
}

TEST_CASE("a 64-bit length with the high bit set is refused, one without is told") {
  using namespace std::string_literals;
  CHECK(reason("\x82\xFF\x80\0\0\0\0\0\0\0"s + "mask") == "a length of 2^63 bytes or more");
  CHECK(reason("\x82\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s + "mask") ==
        "a length of 2^63 bytes or more");
  FrameHeader header;
  CHECK(parse("\x82\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s + "mask", header) == Outcome::done);
  CHECK(header.length == 0x7FFF'FFFF'FFFF'FFFF);
}

TEST_CASE("what a client must not send is refused at the second byte") {
  CHECK(reason(wire({.payload = "a", .masked = false})) == "a frame of a client must be masked");
  for (const unsigned bits : {1u, 2u, 3u, 5u, 7u}) {
    CHECK(reason(wire({.payload = "a", .reserved = bits}), true) == "reserved bits are set");
  }
  for (const int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {
    CHECK(reason(wire({.opcode = static_cast<Opcode>(opcode)})) == "unknown opcode");
  }
  for (const Opcode opcode : {Opcode::close, Opcode::ping, Opcode::pong}) {
    CHECK(reason(wire({.opcode = opcode, .last = false})) ==
          "a control frame must not be fragmented");
    const std::string payload(126, 'p');
    CHECK(reason(wire({.opcode = opcode, .payload = payload})) ==
          "a control frame is longer than 125 bytes");
    FrameHeader header;
    CHECK(parse(wire({.opcode = opcode, .payload = payload.substr(1)}), header) == Outcome::done);
  }
}

TEST_CASE("RSV1 is for the first frame of a message, after an agreement") {
  FrameHeader header;
  CHECK(parse(wire({.reserved = 4}), header, true) == Outcome::done);
  CHECK(header.compressed);
  CHECK(reason(wire({.reserved = 4})) == "compressed, but no compression was agreed on");
  const std::string first_only = "only the first frame of a message is compressed";
  CHECK(reason(wire({.opcode = Opcode::continuation, .reserved = 4}), true) == first_only);
  CHECK(reason(wire({.opcode = Opcode::ping, .reserved = 4}), true) == first_only);
}

TEST_CASE("unmasking in pieces equals unmasking at once") {
  const std::array<char, 4> mask{'\x01', '\x80', '\x7f', '\xe3'};
  std::string plain;
  for (int i = 0; i < 77; ++i) plain += static_cast<char>(i * 7);
  std::string masked = plain;
  for (std::size_t i = 0; i < masked.size(); ++i) {
    masked[i] = static_cast<char>(masked[i] ^ mask[i % 4]);
  }
  for (std::size_t cut = 0; cut <= masked.size(); ++cut) {
    std::string text = masked;
    unmask(text.data(), cut, mask, 0);
    unmask(text.data() + cut, text.size() - cut, mask, cut);
    CHECK(text == plain);
  }
}

TEST_CASE("a server's frames are unmasked and say their length in the shortest way") {
  std::string out;
  append_frame(out, Opcode::text, "Hello");
  CHECK(out == "\x81\x05Hello");
  out.clear();
  append_frame(out, Opcode::binary, std::string(126, 'x'), true);
  CHECK(out.substr(0, 4) == std::string("\xC2\x7E\x00\x7E", 4));
  CHECK(out.size() == 130);
  out.clear();
  append_frame_header(out, Opcode::binary, 0x1'0000);
  CHECK(out == std::string("\x82\x7F\0\0\0\0\0\x01\0\0", 10));
}

TEST_CASE("the close codes of the RFC and the registry may be sent, the reserved ones not") {
  for (const int code : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
                         3000, 3999, 4000, 4999}) {
    CHECK(is_close_code(static_cast<std::uint16_t>(code)));
  }
  for (const int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65'535}) {
    CHECK_FALSE(is_close_code(static_cast<std::uint16_t>(code)));
  }
}

}  // namespace
}  // namespace aiserve::http::detail
