// HeadParser: a strict incremental parser for the head of an HTTP/1.1 request (RFC 9112), with the
// framing gate built in: whatever two implementations could read in two ways is refused.
//
// Refused with 400: a line that doesn't end in CRLF, a bare CR or LF, NUL and other control
// characters, obs-fold, space before a colon, a missing, second or malformed Host, Content-Length
// that is repeated or isn't digits only, Transfer-Encoding that is anything but one field saying
// `chunked` on HTTP/1.1, both of them together, and a target that is neither origin-form, nor
// `OPTIONS *`, nor an absolute-form whose authority equals the Host field.
// 414 and 431 for what is too long, 417 for an unknown expectation, 501 for an unknown method,
// 505 for another version. The caller closes the connection after every error.
//
// parse() is called with the head's bytes from its first one on, again with more of them when it
// said `more`. Work is linear in the bytes however they are sliced. No allocation, no copies.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/head.hpp"

namespace aiserve::inline v0::http::detail {

struct HeadLimits {
  std::size_t head_bytes = 16 * 1024;  // at most kMaxHeadBytes
  std::size_t target_bytes = 8 * 1024;
  std::size_t headers = kMaxHeaders;  // at most kMaxHeaders
};

class HeadParser {
 public:
  enum class Outcome { more, done, failed };

  void reset() noexcept;
  // Nothing of the head was parsed yet.
  bool fresh() const noexcept { return state_.at == 0; }
  Outcome parse(std::string_view bytes, const HeadLimits& limits, Head& head) noexcept;

  // After `failed`: the status to answer with, and why in words.
  int status() const noexcept { return state_.status; }
  std::string_view reason() const noexcept { return state_.reason; }

 private:
  // What one step of the parser came to.
  enum class Step { ok, more, failed };
  // What the next byte belongs to; a step that runs out of bytes goes on in the same stage.
  enum class Stage {
    start,
    method,
    target,
    version,
    start_line_end,
    field_name,
    field_value,
    field_end,
    ended
  };

  struct Cursor {
    const char* base;
    const char* at;
    const char* end;

    std::string_view token(std::size_t begin) const noexcept {
      return {base + begin, static_cast<std::size_t>(at - base) - begin};
    }
  };

  Step steps(Cursor& given, const HeadLimits& limits, Head& head) noexcept;
  Step start(Cursor& cursor) noexcept;
  Step method(Cursor& cursor, Head& head) noexcept;
  Step target(Cursor& cursor, const HeadLimits& limits, Head& head) noexcept;
  Step version(Cursor& cursor, Head& head) noexcept;
  Step line_end(Cursor& cursor, Stage next) noexcept;
  Step field_name(Cursor& cursor) noexcept;
  Step field_value(Cursor& cursor) noexcept;
  Step field_end(Cursor& cursor, const HeadLimits& limits, Head& head) noexcept;
  Step framing_field(std::string_view name, const Span& value, const char* base,
                     Head& head) noexcept;
  Step content_length(std::string_view value, Head& head) noexcept;
  Step transfer_encoding(std::string_view value, Head& head) noexcept;
  Step host(std::string_view value) noexcept;
  Step connection(std::string_view value) noexcept;
  Step gate(Cursor& cursor, Head& head) noexcept;
  Step target_form(Cursor& cursor, Head& head) noexcept;
  Step absolute_form(const char* base, std::string_view rest, Head& head) noexcept;
  Step out_of_bytes(std::string_view bytes, const HeadLimits& limits) noexcept;
  void begin_token(const Cursor& cursor, Stage stage) noexcept;
  Step fail(int status, std::string_view reason) noexcept;

  // The last Host that was found to be well-formed: nearly always the next one is the same.
  class KnownHost {
   public:
    bool is(std::string_view host) const noexcept {
      return size_ != 0 && host == std::string_view(text_.data(), size_);
    }
    void set(std::string_view host) noexcept {
      size_ = static_cast<std::uint8_t>(host.size() <= text_.size() ? host.size() : 0);
      host.copy(text_.data(), size_);
    }

   private:
    std::array<char, 63> text_{};
    std::uint8_t size_ = 0;
  };

  // All that belongs to one head.
  struct State {
    Stage stage = Stage::start;
    std::size_t at = 0;       // all before is parsed
    std::size_t token = 0;    // where the token being read begins
    Span name;                // of the field whose value is being read
    bool blank_seen = false;  // the one empty line that may come before a request
    bool saw_host = false;
    bool saw_transfer_encoding = false;
    bool saw_close = false;
    bool saw_keep_alive = false;
    bool saw_upgrade = false;
    int status = 0;
    std::string_view reason;
  };

  State state_;
  KnownHost known_host_;
};

// host [ ":" port ] of RFC 3986, not empty, no userinfo.
bool is_valid_host(std::string_view host) noexcept;

}  // namespace aiserve::inline v0::http::detail
