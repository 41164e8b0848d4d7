// The frames of WebSocket (RFC 6455, section 5), without I/O: the header of a frame from a client
// is parsed, a frame to a client is written.
//
// Strict: whatever the RFC calls a MUST is checked here or in WebSocketReader, down to the minimal
// encoding of lengths. The caller ends the connection after every fault.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace aiserve::inline v0::http::detail {

enum class Opcode : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10
};

constexpr bool is_control(Opcode opcode) noexcept {
  return opcode == Opcode::close || opcode == Opcode::ping || opcode == Opcode::pong;
}

// What a control frame may carry (section 5.5).
inline constexpr std::size_t kMaxControl = 125;

// True for the codes that may stand in a close frame (section 7.4, and the IANA registry).
bool is_close_code(std::uint16_t code) noexcept;

struct FrameHeader {
  Opcode opcode = Opcode::continuation;
  bool last = false;        // FIN
  bool compressed = false;  // RSV1 (RFC 7692)
  std::uint64_t length = 0;
  std::array<char, 4> mask{};
};

// Parses the header of one masked frame, however its bytes are sliced.
class FrameParser {
 public:
  enum class Outcome : std::uint8_t { more, done, failed };

  explicit FrameParser(bool deflate) noexcept : deflate_(deflate) {}

  // Takes the header's bytes off `input`; after `done` the next call begins a new frame.
  Outcome parse(std::string_view& input, FrameHeader& header) noexcept;
  bool between_frames() const noexcept { return held_ == 0; }
  // After `failed`: why, in words. It is always a protocol error (1002).
  std::string_view reason() const noexcept { return reason_; }

 private:
  static constexpr std::size_t kLongest = 14;

  Outcome hold(std::string_view& input, FrameHeader& header) noexcept;
  Outcome decode(const char* bytes, std::size_t size, FrameHeader& header) noexcept;
  bool accepts(unsigned char first, unsigned char second) noexcept;
  bool refuse(std::string_view reason) noexcept {
    reason_ = reason;
    return false;
  }

  const bool deflate_;  // RSV1 is allowed
  std::uint8_t held_ = 0;
  std::array<char, kLongest> bytes_{};
  std::string_view reason_;
};

// Applies the masking key (section 5.3) to `size` bytes of a payload, the first of which is its
// byte number `offset`.
void unmask(char* data, std::size_t size, const std::array<char, 4>& mask,
            std::uint64_t offset) noexcept;

// Appends a whole frame as a server sends it: unmasked, FIN set.
void append_frame(std::string& out, Opcode opcode, std::string_view payload,
                  bool compressed = false);
// Only its header, of at most 10 bytes, for a payload that follows by reference.
void append_frame_header(std::string& out, Opcode opcode, std::size_t length,
                         bool compressed = false);

}  // namespace aiserve::inline v0::http::detail
