#include "http/websocket_reader.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "unit/http/websocket_frames.hpp"

namespace aiserve::http::detail {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;
using Outcome = WebSocketReader::Outcome;

// All that the bytes come to: "text:...", "binary:...", "ping:...", "close:1000:...",
// "failed:1002:...".
std::vector<std::string> read(std::string_view bytes, const WebSocketReaderOptions& options,
                              std::size_t slice) {
  DeflatePool pool;
  WebSocketReader reader(options, pool);
  std::vector<std::string> events;
  while (!bytes.empty()) {
    const std::string piece(bytes.substr(0, slice));
    bytes.remove_prefix(piece.size());
    std::string_view input = piece;
    for (;;) {
      const Outcome outcome = reader.next(input);
      const std::string control(reader.control());
      if (outcome == Outcome::more) break;
      if (outcome == Outcome::message) {
        const bool text = reader.type() == Opcode::text;
        events.push_back((text ? "text:" : "binary:") + reader.message());
      }
      if (outcome == Outcome::ping) events.push_back("ping:" + control);
      if (outcome == Outcome::pong) events.push_back("pong:" + control);
      if (outcome == Outcome::close) {
        events.push_back("close:" + std::to_string(reader.code()) + ":" + control);
        return events;
      }
      if (outcome == Outcome::failed) {
        events.push_back("failed:" + std::to_string(reader.code()) + ":" +
                         std::string(reader.reason()));
        return events;
      }
    }
    CHECK(input.empty());
    reader.trim();
  }
  return events;
}

// The same in every slicing.
std::vector<std::string> read(std::string_view bytes, const WebSocketReaderOptions& options = {}) {
  const std::vector<std::string> whole = read(bytes, options, bytes.size());
  for (const std::size_t slice : {1U, 2U, 3U, 5U, 7U, 16U, 61U}) {
    CHECK(read(bytes, options, slice) == whole);
  }
  return whole;
}

using Events = std::vector<std::string>;

TEST_CASE("messages come whole, one by one, with control frames between") {
  CHECK(read(client_text("Hello") + client_text("") +
             wire({.opcode = Opcode::binary, .payload = "\xff\x00"sv}) +
             wire({.opcode = Opcode::ping, .payload = "p"}) +
             wire({.opcode = Opcode::pong, .payload = "q"})) ==
        Events{"text:Hello", "text:", "binary:\xff\0"s, "ping:p", "pong:q"});
}

TEST_CASE("fragments become one message, and a control frame may come between them") {
  CHECK(read(wire({.payload = "Hel", .last = false}) +
             wire({.opcode = Opcode::ping, .payload = "now"}) +
             wire({.opcode = Opcode::continuation, .last = false}) +
             wire({.opcode = Opcode::continuation, .payload = "lo"}) + client_text("next")) ==
        Events{"ping:now", "text:Hello", "text:next"});
}

TEST_CASE("fragments out of order are refused") {
  CHECK(read(wire({.opcode = Opcode::continuation, .payload = "x"})) ==
        Events{"failed:1002:a continuation without a beginning"});
  CHECK(read(wire({.payload = "a", .last = false}) + client_text("b")) ==
        Events{"failed:1002:a message begins within another"});
  CHECK(read(wire({.payload = "a", .last = false}) +
             wire({.opcode = Opcode::continuation, .payload = "b"}) +
             wire({.opcode = Opcode::continuation, .payload = "c"})) ==
        Events{"text:ab", "failed:1002:a continuation without a beginning"});
}

TEST_CASE("text is UTF-8 over all fragments, and fails at the first wrong byte") {
  const std::string kappa = "\xce\xba";
  CHECK(read(wire({.payload = kappa.substr(0, 1), .last = false}) + wire({.opcode = Opcode::ping}) +
             wire({.opcode = Opcode::continuation, .payload = kappa.substr(1)})) ==
        Events{"ping:", "text:" + kappa});
  CHECK(read(wire({.payload = "a\xff", .last = false}) + client_close(1000)) ==
        Events{"failed:1007:a text message is not UTF-8"});
  CHECK(read(client_text(kappa.substr(0, 1))) ==
        Events{"failed:1007:a text message ends within a character"});
  CHECK(read(client_text("\xed\xa0\x80")) == Events{"failed:1007:a text message is not UTF-8"});
  // Fails before the frame is complete.
  const std::string cut = client_text("ab\xff and more").substr(0, 9);
  CHECK(read(cut) == Events{"failed:1007:a text message is not UTF-8"});
  CHECK(read(wire({.opcode = Opcode::binary, .payload = "\xff"})) == Events{"binary:\xff"});
}

TEST_CASE("a message is measured over all fragments, at the head of a frame") {
  const WebSocketReaderOptions options{.max_message = 10};
  CHECK(read(client_text("0123456789"), options) == Events{"text:0123456789"});
  const Events too_large{"failed:1009:the message is too large"};
  CHECK(read(client_text("0123456789a").substr(0, 6), options) == too_large);
  CHECK(read(wire({.payload = "012345", .last = false}) +
                 wire({.opcode = Opcode::continuation, .payload = "6789a"}).substr(0, 6),
             options) == too_large);
  CHECK(read("\x82\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s + "mask", options) == too_large);
}

TEST_CASE("a close frame says nothing, or a valid code and a reason in UTF-8") {
  CHECK(read(wire({.opcode = Opcode::close})) == Events{"close:1005:"});
  CHECK(read(client_close(1000, "bye")) == Events{"close:1000:bye"});
  CHECK(read(client_close(4999)) == Events{"close:4999:"});
  CHECK(read(wire({.opcode = Opcode::close, .payload = "x"})) ==
        Events{"failed:1002:a close frame with half a code"});
  for (const int bad : {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65'535}) {
    const auto code = static_cast<std::uint16_t>(bad);
    CHECK(read(client_close(code)) == Events{"failed:1002:a close frame with an invalid code"});
  }
  CHECK(read(client_close(1000, "\xc3\x28")) ==
        Events{"failed:1007:the reason of a close frame is not UTF-8"});
  CHECK(read(client_close(1000, "\xc3")) ==
        Events{"failed:1007:the reason of a close frame is not UTF-8"});
}

// --- permessage-deflate

constexpr WebSocketReaderOptions kDeflate{.max_message = 1000, .deflate = true};

std::string compressed(std::string_view payload, bool last = true) {
  return wire({.payload = payload, .last = last, .reserved = 4});
}

TEST_CASE("the examples of RFC 7692 section 7.2.3 inflate") {
  const std::string hello = "\xf2\x48\xcd\xc9\xc9\x07\x00"s;
  CHECK(read(compressed(hello), kDeflate) == Events{"text:Hello"});
  CHECK(read(compressed(hello.substr(0, 3), false) +
                 wire({.opcode = Opcode::continuation, .payload = hello.substr(3)}),
             kDeflate) == Events{"text:Hello"});
  // No context takeover: the same bytes again.
  CHECK(read(compressed(hello) + client_text("plain") + compressed(hello), kDeflate) ==
        Events{"text:Hello", "text:plain", "text:Hello"});
  WebSocketReaderOptions takeover = kDeflate;
  takeover.context_takeover = true;
  CHECK(read(compressed(hello) + compressed("\xf2\x00\x11\x00\x00"s), takeover) ==
        Events{"text:Hello", "text:Hello"});
  CHECK(read(compressed("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"s), kDeflate) ==
        Events{"text:Hello"});
  // BFINAL set, and two blocks in one message.
  CHECK(read(compressed("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s), kDeflate) == Events{"text:Hello"});
  CHECK(read(compressed("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"s), kDeflate) ==
        Events{"text:Hello"});
  CHECK(read(compressed("\x00"s), kDeflate) == Events{"text:"});
}

TEST_CASE("what does not inflate to valid text is refused") {
  CHECK(read(compressed("\xff\xff\xff"s), kDeflate) ==
        Events{"failed:1007:a compressed message cannot be inflated"});
  std::string bad;
  Deflater(6, 15).deflate("a\xff", bad);
  CHECK(read(compressed(bad), kDeflate) == Events{"failed:1007:a text message is not UTF-8"});
  std::string cut;
  Deflater(6, 15).deflate("a\xce", cut);
  CHECK(read(compressed(cut), kDeflate) ==
        Events{"failed:1007:a text message ends within a character"});
}

TEST_CASE("a bomb is refused before it has grown") {
  std::string bomb;
  Deflater(9, 15).deflate(std::string(50'000'000, 'a'), bomb);
  CHECK(bomb.size() < 50'000);
  const Events too_large{"failed:1009:the message is too large"};
  WebSocketReaderOptions options = kDeflate;
  options.max_message = 100'000;
  CHECK(read(compressed(bomb), options, bomb.size() + 20) == too_large);
  CHECK(read(compressed(bomb), options, 1000) == too_large);

  DeflatePool pool;
  WebSocketReader reader(options, pool);
  const std::string frame = compressed(bomb);
  std::string_view input = frame;
  CHECK(reader.next(input) == Outcome::failed);
  CHECK(reader.message().capacity() <= 2 * options.max_message);
}

TEST_CASE("blocks that inflate to nothing are no way to send without end") {
  std::string empty_blocks;
  for (int i = 0; i < 1000; ++i) empty_blocks += "\x00\x00\x00\xff\xff"s;
  CHECK(read(compressed(empty_blocks), kDeflate) == Events{"failed:1009:the message is too large"});
}

TEST_CASE("a message of exactly the limit passes, one byte more does not") {
  std::string fits;
  std::string more;
  Deflater(6, 15).deflate(std::string(1000, 'a'), fits);
  Deflater(6, 15).deflate(std::string(1001, 'a'), more);
  CHECK(read(compressed(fits), kDeflate) == Events{"text:" + std::string(1000, 'a')});
  CHECK(read(compressed(more), kDeflate) == Events{"failed:1009:the message is too large"});
}

}  // namespace
}  // namespace aiserve::http::detail
