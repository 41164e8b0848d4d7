// ResponseParser: a strict incremental parser for the answers of HTTP/1.1 servers (RFC 9112), with
// the framing decided once: whatever two implementations could read in two ways is an error and the
// end of the connection, so that no byte of one answer is ever taken for the next.
//
// Refused: a line that doesn't end in CR LF, bare CR or LF, NUL and other control characters,
// obs-fold, space before a colon, Content-Length that is repeated or isn't digits only,
// Transfer-Encoding that is anything but one field saying `chunked` on HTTP/1.1, both together,
// 101 (nobody asked for it), more than a few interim answers. Memory is bounded by `head_bytes`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/chunked.hpp"

namespace aiserve::inline v0::http::detail {

struct ResponseLimits {
  std::size_t head_bytes = 32 * 1024;  // of one head, interim ones too
  std::size_t headers = 100;
  std::uint64_t body_bytes = 16 * 1024 * 1024;
};

struct ResponseHead {
  int status = 0;
  bool keep_alive = true;
  std::vector<std::pair<std::string, std::string>> fields{};

  // The first of that name, in whatever case; empty if there is none.
  std::string_view field(std::string_view name) const noexcept;
};

class ResponseParser {
 public:
  enum class Outcome : std::uint8_t {
    more,  // all was taken
    head,  // head() is complete
    data,  // `piece` is a part of the body within what was taken
    done,
    failed
  };

  // `bodiless`: the answer to a HEAD.
  explicit ResponseParser(const ResponseLimits& limits, bool bodiless) noexcept
      : limits_(limits), bodiless_(bodiless) {}

  // Takes bytes off the front of `input`; to be called until it says `more`, `done` or `failed`.
  // What is left after `done` is nothing the server was asked for.
  Outcome next(std::string_view& input, std::string_view& piece);
  // The server ended its side: `done` if that is where the answer ends, else `failed`.
  Outcome end() noexcept;

  ResponseHead& head() noexcept { return head_; }
  bool head_done() const noexcept { return state_ > State::head; }
  // After `done`: the connection may serve another request.
  bool reusable() const noexcept { return head_.keep_alive && framing_ != Framing::until_end; }
  // After `failed`.
  bool too_large() const noexcept { return too_large_; }
  std::string_view reason() const noexcept { return reason_; }
  // After `head`.
  bool has_body() const noexcept { return framing_ != Framing::none; }
  // Of a body whose length was given before it.
  std::optional<std::uint64_t> length() const noexcept;

 private:
  enum class State : std::uint8_t { head, body, done, failed };
  enum class Framing : std::uint8_t { none, length, chunked, until_end };

  Outcome fail(std::string_view reason, bool too_large = false) noexcept;
  Outcome take_head(std::string_view& input);
  Outcome take_body(std::string_view& input, std::string_view& piece) noexcept;
  Outcome counted(std::string_view& input, std::string_view& piece) noexcept;
  Outcome chunked(std::string_view& input, std::string_view& piece) noexcept;
  Outcome parse_head(std::string_view text);
  bool status_line(std::string_view line);
  bool field_line(std::string_view line);
  bool frame(std::string_view name, std::string_view value);
  bool content_length(std::string_view value);
  Outcome head_complete();

  ResponseLimits limits_;
  bool bodiless_;
  State state_ = State::head;
  Framing framing_ = Framing::until_end;
  bool http10_ = false;
  bool saw_length_ = false;
  bool saw_coding_ = false;
  bool saw_close_ = false;
  bool saw_keep_alive_ = false;
  bool too_large_ = false;
  int interim_ = 0;
  std::uint64_t left_ = 0;  // of the body: what is to come, or may still come
  std::string text_;        // of the head so far
  ResponseHead head_;
  std::optional<ChunkedDecoder> decoder_;
  std::string_view reason_;
};

}  // namespace aiserve::inline v0::http::detail
