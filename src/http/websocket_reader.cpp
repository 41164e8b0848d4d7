#include "http/websocket_reader.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace aiserve::inline v0::http::detail {
namespace {

// Unmasked here before it is inflated.
constexpr std::size_t kPiece = 4 * 1024;
// Memory up to this size stays with a reader between messages.
constexpr std::size_t kKeep = 64;

// The wire bytes a compressed message of at most `limit` may have: stored blocks cost 5 in 65,535,
// and empty ones must not go on for ever.
constexpr std::uint64_t wire_limit(std::size_t limit) noexcept {
  return static_cast<std::uint64_t>(limit) + limit / 16 + 1024;
}

}  // namespace

WebSocketReader::Outcome WebSocketReader::fail(std::uint16_t code,
                                               std::string_view reason) noexcept {
  code_ = code;
  reason_ = reason;
  return Outcome::failed;
}

WebSocketReader::Outcome WebSocketReader::next(std::string_view& input) {
  if (!in_message_) message_.clear();
  for (;;) {
    if (!in_frame_) {
      const FrameParser::Outcome outcome = parser_.parse(input, frame_);
      if (outcome == FrameParser::Outcome::more) return Outcome::more;
      if (outcome == FrameParser::Outcome::failed) return fail(kProtocolError, parser_.reason());
      if (begin_frame() == Outcome::failed) return Outcome::failed;
    }
    const Outcome outcome = take_payload(input);
    if (outcome != Outcome::more || in_frame_) return outcome;
  }
}

WebSocketReader::Outcome WebSocketReader::begin_frame() {
  in_frame_ = true;
  taken_ = 0;
  if (is_control(frame_.opcode)) {
    control_.clear();
    return Outcome::more;
  }
  if (frame_.opcode != Opcode::continuation) {
    if (in_message_) return fail(kProtocolError, "a message begins within another");
    if (begin_message() == Outcome::failed) return Outcome::failed;
  } else if (!in_message_) {
    return fail(kProtocolError, "a continuation without a beginning");
  }
  const std::uint64_t limit = compressed_ ? wire_limit(options_.max_message) : options_.max_message;
  if (frame_.length > limit - wire_bytes_) return fail(kTooBig, "the message is too large");
  wire_bytes_ += frame_.length;
  return Outcome::more;
}

WebSocketReader::Outcome WebSocketReader::begin_message() {
  in_message_ = true;
  type_ = frame_.opcode;
  compressed_ = frame_.compressed;
  wire_bytes_ = 0;
  utf8_.reset();
  if (compressed_ && inflater_ == nullptr) inflater_ = pool_.take_inflater();
  return Outcome::more;
}

// True to its name also for a frame without payload: that ends at once.
WebSocketReader::Outcome WebSocketReader::take_payload(std::string_view& input) {
  const auto n =
      static_cast<std::size_t>(std::min<std::uint64_t>(frame_.length - taken_, input.size()));
  const std::string_view piece = input.substr(0, n);
  input.remove_prefix(n);
  if (is_control(frame_.opcode)) {
    const std::size_t before = control_.size();
    control_.append(piece);
    unmask(control_.data() + before, n, frame_.mask, taken_);
  } else if (n != 0) {
    const Outcome outcome = compressed_ ? inflate(piece) : take_data(piece);
    if (outcome == Outcome::failed) return outcome;
  }
  taken_ += n;
  return taken_ == frame_.length ? end_frame() : Outcome::more;
}

WebSocketReader::Outcome WebSocketReader::take_data(std::string_view piece) {
  const std::size_t before = message_.size();
  message_.append(piece);
  unmask(message_.data() + before, piece.size(), frame_.mask, taken_);
  if (type_ == Opcode::text && !utf8_.feed(std::string_view(message_).substr(before))) {
    return fail(kInvalidPayload, "a text message is not UTF-8");
  }
  return Outcome::more;
}

WebSocketReader::Outcome WebSocketReader::inflate(std::string_view piece) {
  std::array<char, kPiece> plain;
  std::uint64_t offset = taken_;
  while (!piece.empty()) {
    const std::size_t n = std::min(plain.size(), piece.size());
    std::memcpy(plain.data(), piece.data(), n);
    unmask(plain.data(), n, frame_.mask, offset);
    const std::size_t before = message_.size();
    const auto outcome = inflater_->inflate({plain.data(), n}, message_, options_.max_message);
    if (checked(outcome, before) == Outcome::failed) return Outcome::failed;
    piece.remove_prefix(n);
    offset += n;
  }
  return Outcome::more;
}

// What was inflated from `before` on is text, and there is not too much of it. In the order of the
// bytes, so that slices make no difference.
WebSocketReader::Outcome WebSocketReader::checked(Inflater::Outcome outcome, std::size_t before) {
  if (type_ == Opcode::text && !utf8_.feed(std::string_view(message_).substr(before))) {
    return fail(kInvalidPayload, "a text message is not UTF-8");
  }
  if (outcome == Inflater::Outcome::too_large) return fail(kTooBig, "the message is too large");
  if (outcome == Inflater::Outcome::malformed) {
    return fail(kInvalidPayload, "a compressed message cannot be inflated");
  }
  return Outcome::more;
}

WebSocketReader::Outcome WebSocketReader::end_frame() {
  in_frame_ = false;
  if (is_control(frame_.opcode)) return end_control();
  return frame_.last ? end_message() : Outcome::more;
}

WebSocketReader::Outcome WebSocketReader::end_message() {
  if (compressed_) {
    const std::size_t before = message_.size();
    const auto outcome = inflater_->finish(message_, options_.max_message);
    if (checked(outcome, before) == Outcome::failed) return Outcome::failed;
    if (!options_.context_takeover) pool_.give_back(std::move(inflater_));
  }
  in_message_ = false;
  if (type_ == Opcode::text && !utf8_.complete()) {
    return fail(kInvalidPayload, "a text message ends within a character");
  }
  return Outcome::message;
}

WebSocketReader::Outcome WebSocketReader::end_control() {
  if (frame_.opcode == Opcode::ping) return Outcome::ping;
  if (frame_.opcode == Opcode::pong) return Outcome::pong;
  return closed();
}

WebSocketReader::Outcome WebSocketReader::closed() {
  code_ = kNoStatus;
  if (control_.empty()) return Outcome::close;
  if (control_.size() == 1) return fail(kProtocolError, "a close frame with half a code");
  const auto high = static_cast<unsigned char>(control_[0]);
  const auto low = static_cast<unsigned char>(control_[1]);
  code_ = static_cast<std::uint16_t>(high << 8 | low);
  if (!is_close_code(code_)) return fail(kProtocolError, "a close frame with an invalid code");
  control_.erase(0, 2);
  Utf8Stream reason;
  if (!reason.feed(control_) || !reason.complete()) {
    return fail(kInvalidPayload, "the reason of a close frame is not UTF-8");
  }
  return Outcome::close;
}

void WebSocketReader::trim() noexcept {
  if (in_message_ || in_frame_) return;
  if (message_.capacity() > kKeep) std::string().swap(message_);
  if (control_.capacity() > kKeep) std::string().swap(control_);
}

}  // namespace aiserve::inline v0::http::detail
