#include "http/client/response_parser.hpp"

#include <algorithm>

#include "http/char_class.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

constexpr int kMostInterim = 8;
constexpr std::size_t kMostDigits = 18;  // cannot overflow 64 bits
constexpr std::string_view kBeginning = "HTTP/1.";
constexpr std::string_view kHeadEnd = "\r\n\r\n";

bool is_interim(int status) noexcept { return status >= 100 && status < 200; }

bool lists(std::string_view value, std::string_view option) noexcept {
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    if (iequals(trim(value.substr(0, comma)), option)) return true;
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
  return false;
}

bool all_field_chars(std::string_view text) noexcept {
  return field_chars_end(text.data(), text.data() + text.size()) == text.data() + text.size();
}

}  // namespace

std::string_view ResponseHead::field(std::string_view name) const noexcept {
  for (const auto& [key, value] : fields) {
    if (iequals(key, name)) return value;
  }
  return {};
}

ResponseParser::Outcome ResponseParser::fail(std::string_view reason, bool too_large) noexcept {
  state_ = State::failed;
  reason_ = reason;
  too_large_ = too_large;
  return Outcome::failed;
}

ResponseParser::Outcome ResponseParser::next(std::string_view& input, std::string_view& piece) {
  switch (state_) {
    case State::head:
      return take_head(input);
    case State::body:
      return take_body(input, piece);
    case State::done:
      return Outcome::done;
    default:
      return Outcome::failed;
  }
}

ResponseParser::Outcome ResponseParser::end() noexcept {
  if (state_ == State::done) return Outcome::done;
  if (state_ != State::body || framing_ != Framing::until_end) {
    return fail("the connection ended within the answer");
  }
  state_ = State::done;
  return Outcome::done;
}

std::optional<std::uint64_t> ResponseParser::length() const noexcept {
  if (framing_ != Framing::length) return std::nullopt;
  return left_;
}

ResponseParser::Outcome ResponseParser::take_head(std::string_view& input) {
  const std::size_t before = text_.size();
  const std::size_t room = limits_.head_bytes - before;
  text_.append(input.substr(0, room));
  // What never becomes a head need not be read to its bound.
  if (!kBeginning.starts_with(std::string_view(text_).substr(0, kBeginning.size()))) {
    return fail("the answer is not HTTP/1.1");
  }
  const std::size_t from = before < kHeadEnd.size() ? 0 : before - (kHeadEnd.size() - 1);
  const std::size_t end = text_.find(kHeadEnd, from);
  if (end == std::string::npos) {
    input = {};
    if (text_.size() >= limits_.head_bytes) return fail("the head is too large", true);
    return Outcome::more;
  }
  input.remove_prefix(end + kHeadEnd.size() - before);
  text_.resize(end + 2);
  const Outcome outcome = parse_head(text_);
  text_.clear();
  return outcome == Outcome::more ? take_head(input) : outcome;
}

// `more`: it was an interim answer.
ResponseParser::Outcome ResponseParser::parse_head(std::string_view text) {
  const auto take_line = [&text] {
    const std::size_t end = text.find("\r\n");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 2);
    return line;
  };
  head_ = ResponseHead();
  http10_ = saw_length_ = saw_coding_ = saw_close_ = saw_keep_alive_ = false;
  if (!status_line(take_line())) return Outcome::failed;
  while (!text.empty()) {
    if (head_.fields.size() == limits_.headers) return fail("too many header fields", true);
    if (!field_line(take_line())) return Outcome::failed;
  }
  return head_complete();
}

bool ResponseParser::status_line(std::string_view line) {
  const bool shaped = line.size() >= 12 && line.starts_with(kBeginning) &&
                      (line[7] == '0' || line[7] == '1') && line[8] == ' ' &&
                      std::all_of(&line[9], &line[12], [](char c) { return is(c, kDigit); }) &&
                      (line.size() == 12 || line[12] == ' ') && all_field_chars(line);
  if (!shaped) return fail("a malformed status line"), false;
  http10_ = line[7] == '0';
  head_.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  if (head_.status < 100 || head_.status > 599) return fail("an unknown status"), false;
  return true;
}

bool ResponseParser::field_line(std::string_view line) {
  const char* const end = line.data() + line.size();
  const char* const colon = end_of(line.data(), end, kToken);
  const std::string_view name = line.substr(0, static_cast<std::size_t>(colon - line.data()));
  if (name.empty() || colon == end || *colon != ':') {
    return fail("a malformed header name"), false;
  }
  const std::string_view value = line.substr(name.size() + 1);
  if (!all_field_chars(value)) return fail("a control character in a header field"), false;
  head_.fields.emplace_back(name, trim(value));
  return frame(name, trim(value));
}

bool ResponseParser::frame(std::string_view name, std::string_view value) {
  if (iequals(name, "content-length")) return content_length(value);
  if (iequals(name, "transfer-encoding")) {
    if (std::exchange(saw_coding_, true)) return fail("a second Transfer-Encoding"), false;
    if (!iequals(value, "chunked")) return fail("a Transfer-Encoding but chunked"), false;
  }
  if (iequals(name, "connection")) {
    saw_close_ = saw_close_ || lists(value, "close");
    saw_keep_alive_ = saw_keep_alive_ || lists(value, "keep-alive");
  }
  return true;
}

bool ResponseParser::content_length(std::string_view value) {
  if (std::exchange(saw_length_, true)) return fail("a second Content-Length"), false;
  if (value.empty() || value.size() > kMostDigits) return fail("a bad Content-Length"), false;
  left_ = 0;
  for (const char c : value) {
    if (!is(c, kDigit)) return fail("a bad Content-Length"), false;
    left_ = left_ * 10 + static_cast<unsigned>(c - '0');
  }
  return true;
}

// RFC 9112 section 6.3.
ResponseParser::Outcome ResponseParser::head_complete() {
  if (saw_coding_ && saw_length_) return fail("Transfer-Encoding together with Content-Length");
  if (saw_coding_ && http10_) return fail("Transfer-Encoding on HTTP/1.0");
  if (head_.status == 101) return fail("a change of protocol that nobody asked for");
  if (is_interim(head_.status)) {
    if (saw_coding_ || saw_length_) return fail("an interim answer with a body");
    return ++interim_ > kMostInterim ? fail("too many interim answers") : Outcome::more;
  }
  head_.keep_alive = !saw_close_ && (!http10_ || saw_keep_alive_);
  state_ = State::body;
  if (bodiless_ || head_.status == 204 || head_.status == 304) {
    framing_ = Framing::none;
  } else if (saw_coding_) {
    framing_ = Framing::chunked;
    decoder_.emplace(ChunkedLimits{.body_bytes = limits_.body_bytes});
  } else if (saw_length_) {
    framing_ = Framing::length;
    if (left_ > limits_.body_bytes) return fail("the body is too large", true);
  } else {
    framing_ = Framing::until_end;
    left_ = limits_.body_bytes;
  }
  return Outcome::head;
}

ResponseParser::Outcome ResponseParser::take_body(std::string_view& input,
                                                  std::string_view& piece) noexcept {
  if (framing_ == Framing::chunked) return chunked(input, piece);
  if (framing_ != Framing::none) return counted(input, piece);
  state_ = State::done;
  return Outcome::done;
}

ResponseParser::Outcome ResponseParser::counted(std::string_view& input,
                                                std::string_view& piece) noexcept {
  if (framing_ == Framing::length && left_ == 0) {
    state_ = State::done;
    return Outcome::done;
  }
  if (input.empty()) return Outcome::more;
  if (left_ == 0) return fail("the body is too large", true);
  piece = input.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size())));
  input.remove_prefix(piece.size());
  left_ -= piece.size();
  return Outcome::data;
}

ResponseParser::Outcome ResponseParser::chunked(std::string_view& input,
                                                std::string_view& piece) noexcept {
  switch (decoder_->next(input, piece)) {
    case ChunkedDecoder::Outcome::more:
      return Outcome::more;
    case ChunkedDecoder::Outcome::data:
      return Outcome::data;
    case ChunkedDecoder::Outcome::done:
      state_ = State::done;
      return Outcome::done;
    default:
      return fail(decoder_->reason(), decoder_->status() == 413);
  }
}

}  // namespace aiserve::inline v0::http::detail
