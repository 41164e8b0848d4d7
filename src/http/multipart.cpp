#include "http/multipart.hpp"

#include <algorithm>
#include <utility>

#include "aiserve/http/request.hpp"

namespace aiserve::inline v0::http {
namespace detail {

MultipartParser::MultipartParser(const std::string& boundary, const MultipartLimits& limits)
    : delimiter_("\r\n--" + boundary), limits_(limits) {}

MultipartParser::Outcome MultipartParser::fail(int status, std::string_view reason) noexcept {
  state_ = State::failed;
  status_ = status;
  reason_ = reason;
  return Outcome::failed;
}

MultipartParser::Outcome MultipartParser::next(std::string_view& input, std::string_view& data) {
  while (!input.empty() && state_ != State::failed) {
    Outcome outcome = Outcome::more;
    switch (state_) {
      case State::first:
        outcome = match_boundary(input, data);
        break;
      case State::content:
        outcome = matched_ == 0 ? content(input, data) : match_boundary(input, data);
        break;
      case State::after_boundary:
        outcome = after_boundary(input);
        break;
      case State::fields:
        outcome = fields(input);
        break;
      case State::epilogue:
        outcome = epilogue(input);
        break;
      case State::failed:
        break;
    }
    if (outcome != Outcome::more) return outcome;
  }
  return state_ == State::failed ? Outcome::failed : Outcome::more;
}

// Content up to what may be the beginning of a delimiter.
MultipartParser::Outcome MultipartParser::content(std::string_view& input, std::string_view& data) {
  const std::size_t end = std::min(input.find('\r'), input.size());
  const std::string_view piece = input.substr(0, end);
  input.remove_prefix(end);
  if (!input.empty()) {
    matched_ = 1;
    input.remove_prefix(1);
  }
  return piece.empty() ? Outcome::more : give(piece, data);
}

// A boundary holds no CR, so a match that fails can begin anew only at the byte that failed it.
MultipartParser::Outcome MultipartParser::match_boundary(std::string_view& input,
                                                         std::string_view& data) {
  const std::string_view wanted = std::string_view(delimiter_).substr(matched_);
  const std::size_t most = std::min(wanted.size(), input.size());
  const auto differs = std::mismatch(
      wanted.begin(), wanted.begin() + static_cast<std::ptrdiff_t>(most), input.begin());
  const auto same = static_cast<std::size_t>(differs.first - wanted.begin());
  input.remove_prefix(same);
  matched_ += same;
  if (matched_ == delimiter_.size()) {
    if (state_ == State::content && empty_) return fail(400, "a boundary instead of content");
    matched_ = 0;
    text_.clear();
    state_ = State::after_boundary;
    return Outcome::more;
  }
  if (same == most) return Outcome::more;
  if (state_ == State::first) return fail(400, "something stands before the first boundary");
  std::string_view piece = std::string_view(delimiter_).substr(0, std::exchange(matched_, 0));
  if (std::exchange(empty_, false)) piece.remove_prefix(2);
  return piece.empty() ? Outcome::more : give(piece, data);
}

MultipartParser::Outcome MultipartParser::give(std::string_view piece, std::string_view& data) {
  size_ += piece.size();
  if (size_ > limits_.max_part_size) return fail(413, "a part is too large");
  data = piece;
  return Outcome::data;
}

MultipartParser::Outcome MultipartParser::after_boundary(std::string_view& input) {
  const std::size_t n = std::min(2 - text_.size(), input.size());
  text_ += input.substr(0, n);
  input.remove_prefix(n);
  if (text_.size() < 2) return Outcome::more;
  const bool last = text_ == "--";
  if (last && parts_ == 0) return fail(400, "a form without parts");
  if (!last && text_ != "\r\n") return fail(400, "a line that only begins with the boundary");
  if (!last && ++parts_ > limits_.max_parts) return fail(413, "too many parts");
  text_.clear();
  size_ = 0;
  state_ = last ? State::epilogue : State::fields;
  return last ? Outcome::done : Outcome::more;
}

MultipartParser::Outcome MultipartParser::fields(std::string_view& input) {
  const std::size_t line = input.find('\n');
  const std::size_t n = line == std::string_view::npos ? input.size() : line + 1;
  if (text_.size() + n > limits_.max_header_bytes)
    return fail(413, "the head of a part is too large");
  text_ += input.substr(0, n);
  input.remove_prefix(n);
  const bool ended = text_ == "\r\n" || text_.ends_with("\r\n\r\n");
  if (!ended) return Outcome::more;
  text_.resize(text_.size() - 2);
  head_ = {};
  const std::string_view fault = parse_part_head(text_, limits_, head_);
  if (!fault.empty()) return fail(400, fault);
  text_.clear();
  state_ = State::content;
  empty_ = true;
  matched_ = 2;  // of a boundary right behind the head, which some readers would see
  return Outcome::part;
}

// One line end is what most clients send.
MultipartParser::Outcome MultipartParser::epilogue(std::string_view& input) {
  constexpr std::string_view kEnd = "\r\n";
  while (!input.empty()) {
    if (text_.size() == kEnd.size() || input.front() != kEnd[text_.size()]) {
      return fail(400, "something stands behind the last boundary");
    }
    text_ += input.front();
    input.remove_prefix(1);
  }
  return Outcome::more;
}

}  // namespace detail

namespace {

Error refusal(const detail::MultipartParser& parser) {
  const Errc code = parser.status() == 413 ? Errc::too_large : Errc::malformed;
  return Error(code, std::string(parser.reason()));
}

}  // namespace

Result<std::vector<Part>> multipart(const Request& request, const MultipartLimits& limits) {
  using Outcome = detail::MultipartParser::Outcome;
  const auto boundary = detail::multipart_boundary(request.header("content-type"));
  if (!boundary) return Error(Errc::invalid_argument, "the body must be multipart/form-data");
  detail::MultipartParser parser(*boundary, limits);
  const Bytes body = request.body_bytes();
  std::vector<Part> parts;
  std::size_t begin = 0;
  std::size_t size = 0;
  const auto finish = [&] {
    if (!parts.empty()) parts.back().body = body.slice(begin, size);
  };
  std::string_view input = body.text();
  for (;;) {
    std::string_view data;
    switch (parser.next(input, data)) {
      case Outcome::part:
        finish();
        parts.emplace_back();
        static_cast<PartHead&>(parts.back()) = parser.take_head();
        begin = body.size() - input.size();
        size = 0;
        continue;
      case Outcome::data:
        size += data.size();
        continue;
      case Outcome::done:
        continue;
      case Outcome::failed:
        return refusal(parser);
      case Outcome::more:
        break;
    }
    break;
  }
  if (!parser.complete()) return Error(Errc::malformed, "the last boundary is missing");
  finish();
  return parts;
}

const Part* find(const std::vector<Part>& parts, std::string_view name) noexcept {
  for (const Part& part : parts) {
    if (part.name == name) return &part;
  }
  return nullptr;
}

}  // namespace aiserve::inline v0::http
