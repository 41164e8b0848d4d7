// WebSocketReader: bytes of a client in, whole messages and control frames out (RFC 6455).
//
// Frames may come in any slices. Text is checked to be UTF-8 as it comes, over all fragments, and
// a message is measured over all fragments and after inflating, so that neither a bomb nor a
// stream of fragments grows beyond the limit.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "http/utf8_stream.hpp"
#include "http/websocket_deflate.hpp"
#include "http/websocket_frame.hpp"

namespace aiserve::inline v0::http::detail {

struct WebSocketReaderOptions {
  std::size_t max_message = 1024 * 1024;
  bool deflate = false;           // permessage-deflate was agreed on
  bool context_takeover = false;  // the client's messages refer to the ones before
};

class WebSocketReader {
 public:
  enum class Outcome : std::uint8_t { more, message, ping, pong, close, failed };

  // The pool outlives the reader.
  WebSocketReader(const WebSocketReaderOptions& options, DeflatePool& pool) noexcept
      : options_(options), pool_(pool), parser_(options.deflate) {}
  ~WebSocketReader() { pool_.give_back(std::move(inflater_)); }
  WebSocketReader(const WebSocketReader&) = delete;
  WebSocketReader& operator=(const WebSocketReader&) = delete;

  // Takes bytes off `input` up to the end of one message or control frame. Not after `failed`.
  Outcome next(std::string_view& input);

  // After `message`, until the next call: text or binary, and what may be taken away.
  Opcode type() const noexcept { return type_; }
  std::string& message() noexcept { return message_; }
  // After `ping`, `pong`: the payload. After `close`: the reason, in UTF-8.
  std::string_view control() const noexcept { return control_; }
  // After `close`: what the client said, 1005 if it said nothing. After `failed`: what to say.
  std::uint16_t code() const noexcept { return code_; }
  // After `failed`: why, in words.
  std::string_view reason() const noexcept { return reason_; }

  // Nothing has come of a message, or of a frame, that is not complete.
  bool between_messages() const noexcept {
    return !in_message_ && !in_frame_ && parser_.between_frames();
  }
  // Between two messages: gives memory back. Cheap enough for the end of every read.
  void trim() noexcept;

 private:
  // RFC 6455, section 7.4.1.
  static constexpr std::uint16_t kProtocolError = 1002;
  static constexpr std::uint16_t kNoStatus = 1005;
  static constexpr std::uint16_t kInvalidPayload = 1007;
  static constexpr std::uint16_t kTooBig = 1009;

  Outcome begin_frame();
  Outcome begin_message();
  Outcome take_payload(std::string_view& input);
  Outcome take_data(std::string_view piece);
  Outcome inflate(std::string_view piece);
  Outcome end_frame();
  Outcome end_message();
  Outcome end_control();
  Outcome closed();
  Outcome checked(Inflater::Outcome outcome, std::size_t before);
  Outcome fail(std::uint16_t code, std::string_view reason) noexcept;

  const WebSocketReaderOptions options_;
  DeflatePool& pool_;
  FrameParser parser_;
  FrameHeader frame_;
  Utf8Stream utf8_;
  std::unique_ptr<Inflater> inflater_;
  std::uint64_t taken_ = 0;       // of the frame's payload
  std::uint64_t wire_bytes_ = 0;  // of the message, before inflating
  std::string message_;
  std::string control_;
  std::string_view reason_;
  std::uint16_t code_ = 0;
  Opcode type_ = Opcode::text;
  bool in_frame_ = false;
  bool in_message_ = false;
  bool compressed_ = false;  // the message
};

}  // namespace aiserve::inline v0::http::detail
