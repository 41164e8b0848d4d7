// ChunkedDecoder: the chunked transfer coding (RFC 9112 section 7.1), strict and bounded.
//
// No whitespace around sizes and extensions, CR LF everywhere, at most 16 hexadecimal digits;
// extensions must follow the grammar and are dropped, trailer fields must be well-formed and are
// dropped. Both are bounded over the whole body, so an endless stream of them ends with an error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace aiserve::inline v0::http::detail {

struct ChunkedLimits {
  std::uint64_t body_bytes = 16 * 1024 * 1024;
  std::size_t extension_bytes = 4 * 1024;
  std::size_t trailer_bytes = 8 * 1024;
};

class ChunkedDecoder {
 public:
  explicit ChunkedDecoder(const ChunkedLimits& limits = {}) noexcept : limits_(limits) {}

  enum class Outcome { more, data, done, failed };

  // Takes bytes off the front of `input`. `data`: `piece` is a part of the body within what was
  // taken, call again. `more`: all was taken. `done`: `input` begins behind the body.
  Outcome next(std::string_view& input, std::string_view& piece) noexcept;

  std::uint64_t body_bytes() const noexcept { return total_; }
  int status() const noexcept { return status_; }
  std::string_view reason() const noexcept { return reason_; }

 private:
  enum class State : std::uint8_t {
    size_first,
    size,
    extension_name_first,
    extension_name,
    extension_value_first,
    extension_value,
    extension_quoted,
    extension_escaped,
    extension_quote_end,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_first,
    trailer_name,
    trailer_value,
    trailer_lf,
    end_lf,
    done,
    failed
  };

  void step(char c) noexcept;
  void size_step(char c) noexcept;
  void extension_step(char c) noexcept;
  void trailer_step(char c) noexcept;
  void expect(char c, char wanted, State next) noexcept;
  void fail(int status, std::string_view reason) noexcept;

  ChunkedLimits limits_;
  State state_ = State::size_first;
  std::uint8_t digits_ = 0;
  int status_ = 0;
  std::uint64_t left_ = 0;  // of the current chunk
  std::uint64_t total_ = 0;
  std::size_t extension_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::string_view reason_;
};

}  // namespace aiserve::inline v0::http::detail
