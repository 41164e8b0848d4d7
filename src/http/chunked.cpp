#include "http/chunked.hpp"

#include <algorithm>

#include "http/char_class.hpp"

namespace aiserve::inline v0::http::detail {
namespace {
constexpr std::uint8_t kMostDigits = 16;
}

void ChunkedDecoder::fail(int status, std::string_view reason) noexcept {
  state_ = State::failed;
  status_ = status;
  reason_ = reason;
}

ChunkedDecoder::Outcome ChunkedDecoder::next(std::string_view& input,
                                             std::string_view& piece) noexcept {
  while (state_ != State::done && state_ != State::failed) {
    if (input.empty()) return Outcome::more;
    if (state_ == State::data) {
      piece =
          input.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size())));
      input.remove_prefix(piece.size());
      left_ -= piece.size();
      if (left_ == 0) state_ = State::data_cr;
      return Outcome::data;
    }
    step(input.front());
    input.remove_prefix(1);
  }
  return state_ == State::done ? Outcome::done : Outcome::failed;
}

void ChunkedDecoder::expect(char c, char wanted, State next) noexcept {
  if (c != wanted) return fail(400, "a chunk must be framed by CR LF");
  state_ = next;
}

void ChunkedDecoder::step(char c) noexcept {
  switch (state_) {
    case State::size_first:
    case State::size:
      return size_step(c);
    case State::size_lf:
      return expect(c, '\n', left_ == 0 ? State::trailer_first : State::data);
    case State::data_cr:
      return expect(c, '\r', State::data_lf);
    case State::data_lf:
      return expect(c, '\n', State::size_first);
    case State::trailer_first:
    case State::trailer_name:
    case State::trailer_value:
    case State::trailer_lf:
      return trailer_step(c);
    case State::end_lf:
      return expect(c, '\n', State::done);
    default:
      return extension_step(c);
  }
}

void ChunkedDecoder::size_step(char c) noexcept {
  if (const int value = hex_value(c); value >= 0) {
    if (state_ == State::size_first) digits_ = 0, left_ = 0;
    if (++digits_ > kMostDigits) return fail(400, "a chunk size is too long");
    left_ = left_ * 16 + static_cast<unsigned>(value);
    state_ = State::size;
    return;
  }
  if (state_ == State::size_first) return fail(400, "a chunk size is missing");
  if (left_ > limits_.body_bytes - total_) return fail(413, "the body is too large");
  if (c == ';') {
    total_ += left_;
    state_ = State::extension_name_first;
  } else if (c == '\r') {
    total_ += left_;
    state_ = State::size_lf;
  } else {
    fail(400, "a malformed chunk size");
  }
}

void ChunkedDecoder::extension_step(char c) noexcept {
  if (++extension_bytes_ > limits_.extension_bytes) return fail(400, "too many chunk extensions");
  const auto refuse = [this] { fail(400, "a malformed chunk extension"); };
  const auto end_with = [&](char end) {
    if (end == ';')
      state_ = State::extension_name_first;
    else if (end == '\r')
      state_ = State::size_lf;
    else
      refuse();
  };
  switch (state_) {
    case State::extension_name_first:
      return is(c, kToken) ? void(state_ = State::extension_name) : refuse();
    case State::extension_name:
      if (is(c, kToken)) return;
      if (c == '=') return void(state_ = State::extension_value_first);
      return end_with(c);
    case State::extension_value_first:
      if (c == '"') return void(state_ = State::extension_quoted);
      return is(c, kToken) ? void(state_ = State::extension_value) : refuse();
    case State::extension_value:
      return is(c, kToken) ? void() : end_with(c);
    case State::extension_quoted:
      if (c == '"') return void(state_ = State::extension_quote_end);
      if (c == '\\') return void(state_ = State::extension_escaped);
      return is(c, kField) ? void() : refuse();
    case State::extension_escaped:
      return is(c, kField) ? void(state_ = State::extension_quoted) : refuse();
    default:
      return end_with(c);
  }
}

void ChunkedDecoder::trailer_step(char c) noexcept {
  if (++trailer_bytes_ > limits_.trailer_bytes) return fail(431, "the trailers are too large");
  switch (state_) {
    case State::trailer_first:
      if (c == '\r') return void(state_ = State::end_lf);
      [[fallthrough]];
    case State::trailer_name:
      if (c == ':' && state_ == State::trailer_name) return void(state_ = State::trailer_value);
      if (!is(c, kToken)) return fail(400, "a malformed trailer");
      return void(state_ = State::trailer_name);
    case State::trailer_value:
      if (c == '\r') return void(state_ = State::trailer_lf);
      return is(c, kField) ? void() : fail(400, "a malformed trailer");
    default:
      return expect(c, '\n', State::trailer_first);
  }
}

}  // namespace aiserve::inline v0::http::detail
