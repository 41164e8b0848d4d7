#include "http/head_parser.hpp"

#include <cstring>

#include "http/char_class.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

constexpr std::size_t kLongestMethod = 16;

Span span_of(const char* base, std::string_view part) noexcept {
  return {static_cast<std::uint16_t>(part.data() - base), static_cast<std::uint16_t>(part.size())};
}

std::string_view between(const char* begin, const char* end) noexcept {
  return {begin, static_cast<std::size_t>(end - begin)};
}

bool find_method(std::string_view text, Method& method) noexcept {
  for (std::size_t i = 0; i < kMethods; ++i) {
    method = static_cast<Method>(i);
    if (name(method).front() == text.front() && name(method) == text) return true;
  }
  return false;
}

}  // namespace

void HeadParser::reset() noexcept { state_ = State(); }

HeadParser::Step HeadParser::fail(int status, std::string_view reason) noexcept {
  state_.status = status;
  state_.reason = reason;
  return Step::failed;
}

HeadParser::Outcome HeadParser::parse(std::string_view bytes, const HeadLimits& limits,
                                      Head& head) noexcept {
  bytes = bytes.substr(0, limits.head_bytes);
  if (state_.at == 0) static_cast<HeadInfo&>(head) = HeadInfo();
  Cursor cursor{bytes.data(), bytes.data() + state_.at, bytes.data() + bytes.size()};
  Step result = steps(cursor, limits, head);
  state_.at = static_cast<std::size_t>(cursor.at - cursor.base);
  if (result == Step::more) result = out_of_bytes(bytes, limits);
  if (result == Step::ok) result = gate(cursor, head);
  if (result == Step::failed) return Outcome::failed;
  return result == Step::ok ? Outcome::done : Outcome::more;
}

// One function with all steps in it: calls would cost as much as what the steps do.
HeadParser::Step HeadParser::steps(Cursor& given, const HeadLimits& limits, Head& head) noexcept {
  Cursor cursor = given;
  Step result = Step::ok;
  while (result == Step::ok && state_.stage != Stage::ended) {
    switch (state_.stage) {
      case Stage::start:
        result = start(cursor);
        break;
      case Stage::method:
        result = method(cursor, head);
        break;
      case Stage::target:
        result = target(cursor, limits, head);
        break;
      case Stage::version:
        result = version(cursor, head);
        break;
      case Stage::start_line_end:
        result = line_end(cursor, Stage::field_name);
        break;
      case Stage::field_name:
        result = field_name(cursor);
        break;
      case Stage::field_value:
        result = field_value(cursor);
        break;
      case Stage::field_end:
        result = field_end(cursor, limits, head);
        break;
      case Stage::ended:
        break;
    }
  }
  given = cursor;
  return result;
}

HeadParser::Step HeadParser::out_of_bytes(std::string_view bytes,
                                          const HeadLimits& limits) noexcept {
  if (bytes.size() < limits.head_bytes) return Step::more;
  if (state_.stage < Stage::field_name) return fail(414, "the request target is too long");
  return fail(431, "the request head is too large");
}

inline void HeadParser::begin_token(const Cursor& cursor, Stage stage) noexcept {
  state_.token = static_cast<std::size_t>(cursor.at - cursor.base);
  state_.stage = stage;
}

inline HeadParser::Step HeadParser::line_end(Cursor& cursor, Stage next) noexcept {
  if (cursor.at == cursor.end) return Step::more;
  if (*cursor.at != '\r') return fail(400, "a line must end with CR LF");
  if (cursor.at + 1 == cursor.end) return Step::more;
  if (cursor.at[1] != '\n') return fail(400, "a bare CR");
  cursor.at += 2;
  begin_token(cursor, next);
  return Step::ok;
}

inline HeadParser::Step HeadParser::start(Cursor& cursor) noexcept {
  if (cursor.at == cursor.end) return Step::more;
  if (*cursor.at == '\r' && !state_.blank_seen) {  // RFC 9112 section 2.2
    const Step result = line_end(cursor, Stage::start);
    state_.blank_seen = result == Step::ok;
    return result;
  }
  begin_token(cursor, Stage::method);
  return Step::ok;
}

inline HeadParser::Step HeadParser::method(Cursor& cursor, Head& head) noexcept {
  cursor.at = end_of(cursor.at, cursor.end, kToken);
  const std::string_view text = cursor.token(state_.token);
  if (text.size() > kLongestMethod) return fail(501, "an unknown method");
  if (cursor.at == cursor.end) return Step::more;
  if (text.empty() || *cursor.at != ' ') return fail(400, "a malformed method");
  if (!find_method(text, head.method)) return fail(501, "an unknown method");
  ++cursor.at;
  begin_token(cursor, Stage::target);
  return Step::ok;
}

inline HeadParser::Step HeadParser::target(Cursor& cursor, const HeadLimits& limits,
                                           Head& head) noexcept {
  cursor.at = end_of(cursor.at, cursor.end, kTarget);
  const std::string_view text = cursor.token(state_.token);
  if (text.size() > limits.target_bytes) return fail(414, "the request target is too long");
  if (cursor.at == cursor.end) return Step::more;
  if (text.empty() || *cursor.at != ' ') return fail(400, "a malformed request target");
  head.target = span_of(cursor.base, text);
  ++cursor.at;
  state_.stage = Stage::version;
  return Step::ok;
}

inline HeadParser::Step HeadParser::version(Cursor& cursor, Head& head) noexcept {
  constexpr std::string_view kPrefix = "HTTP/";
  const std::string_view rest = between(cursor.at, cursor.end).substr(0, kPrefix.size() + 3);
  const std::string_view seen = rest.substr(0, kPrefix.size());
  if (seen != kPrefix.substr(0, seen.size())) return fail(400, "a malformed version");
  if (rest.size() < kPrefix.size() + 3) return Step::more;
  if (!is(rest[5], kDigit) || rest[6] != '.' || !is(rest[7], kDigit)) {
    return fail(400, "a malformed version");
  }
  if (rest[5] != '1' || rest[7] > '1') return fail(505, "only the versions 1.1 and 1.0 are spoken");
  head.http10 = rest[7] == '0';
  cursor.at += rest.size();
  state_.stage = Stage::start_line_end;
  return Step::ok;
}

inline HeadParser::Step HeadParser::field_name(Cursor& cursor) noexcept {
  cursor.at = end_of(cursor.at, cursor.end, kToken);
  if (cursor.at == cursor.end) return Step::more;
  const std::string_view text = cursor.token(state_.token);
  if (text.empty() && *cursor.at == '\r') return line_end(cursor, Stage::ended);
  if (text.empty() || *cursor.at != ':') return fail(400, "a malformed header name");
  state_.name = span_of(cursor.base, text);
  ++cursor.at;
  begin_token(cursor, Stage::field_value);
  return Step::ok;
}

inline HeadParser::Step HeadParser::field_value(Cursor& cursor) noexcept {
  cursor.at = field_chars_end(cursor.at, cursor.end);
  if (cursor.at == cursor.end) return Step::more;
  state_.stage = Stage::field_end;
  return Step::ok;
}

inline HeadParser::Step HeadParser::field_end(Cursor& cursor, const HeadLimits& limits,
                                              Head& head) noexcept {
  const std::string_view value = trim(cursor.token(state_.token));
  const Step ended = line_end(cursor, Stage::field_name);
  if (ended != Step::ok) return ended;
  if (head.header_count >= limits.headers) return fail(431, "too many header fields");
  HeaderSpan& slot = head.headers[head.header_count++];
  slot = {state_.name, span_of(cursor.base, value)};
  return framing_field(state_.name.in(cursor.base), slot.value, cursor.base, head);
}

inline HeadParser::Step HeadParser::framing_field(std::string_view name, const Span& value,
                                                  const char* base, Head& head) noexcept {
  switch (name.size()) {
    case 4:
      if (!iequals(name, "host")) break;
      if (!state_.saw_host) head.host = value;
      return host(value.in(base));
    case 6:
      if (!iequals(name, "expect") || head.http10) break;
      if (!iequals(value.in(base), "100-continue")) return fail(417, "an unknown expectation");
      head.expect_continue = true;
      break;
    case 10:
      if (iequals(name, "connection")) return connection(value.in(base));
      break;
    case 11:
      if (iequals(name, "traceparent")) head.has_trace = true;
      break;
    case 14:
      if (iequals(name, "content-length")) return content_length(value.in(base), head);
      break;
    case 17:
      if (iequals(name, "transfer-encoding")) return transfer_encoding(value.in(base), head);
      break;
    case 18:
      if (iequals(name, "request-timeout-ms")) head.has_patience = true;
      break;
    default:
      break;
  }
  return Step::ok;
}

HeadParser::Step HeadParser::host(std::string_view value) noexcept {
  if (state_.saw_host) return fail(400, "a second Host field");
  if (!known_host_.is(value)) {
    if (!is_valid_host(value)) return fail(400, "a malformed Host field");
    known_host_.set(value);
  }
  state_.saw_host = true;
  return Step::ok;
}

HeadParser::Step HeadParser::content_length(std::string_view value, Head& head) noexcept {
  constexpr std::size_t kMostDigits = 18;  // cannot overflow 64 bits
  if (head.has_length) return fail(400, "a second Content-Length field");
  if (value.empty() || value.size() > kMostDigits) return fail(400, "a bad Content-Length");
  for (const char c : value) {
    if (!is(c, kDigit)) return fail(400, "a bad Content-Length");
    head.content_length = head.content_length * 10 + static_cast<unsigned>(c - '0');
  }
  head.has_length = true;
  return Step::ok;
}

HeadParser::Step HeadParser::transfer_encoding(std::string_view value, Head& head) noexcept {
  if (state_.saw_transfer_encoding) return fail(400, "a second Transfer-Encoding field");
  state_.saw_transfer_encoding = true;
  if (head.http10) return fail(400, "Transfer-Encoding on HTTP/1.0");
  if (!iequals(value, "chunked")) return fail(400, "a Transfer-Encoding other than chunked");
  head.chunked = true;
  return Step::ok;
}

HeadParser::Step HeadParser::connection(std::string_view value) noexcept {
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    const std::string_view option = trim(value.substr(0, comma));
    if (iequals(option, "close")) state_.saw_close = true;
    if (iequals(option, "keep-alive")) state_.saw_keep_alive = true;
    if (iequals(option, "upgrade")) state_.saw_upgrade = true;
    value = comma == std::string_view::npos ? std::string_view() : value.substr(comma + 1);
  }
  return Step::ok;
}

inline HeadParser::Step HeadParser::gate(Cursor& cursor, Head& head) noexcept {
  head.bytes = static_cast<std::uint32_t>(cursor.at - cursor.base);
  if (!head.http10 && !state_.saw_host) return fail(400, "no Host field");
  if (state_.saw_transfer_encoding && head.has_length) {
    return fail(400, "Transfer-Encoding together with Content-Length");
  }
  head.keep_alive = !state_.saw_close && (!head.http10 || state_.saw_keep_alive);
  head.upgrade = state_.saw_upgrade;
  return target_form(cursor, head);
}

inline HeadParser::Step HeadParser::target_form(Cursor& cursor, Head& head) noexcept {
  std::string_view text = head.target.in(cursor.base);
  if (text == "*") {
    if (head.method != Method::options) return fail(400, "only OPTIONS may ask for *");
    head.path = head.target;
    return Step::ok;
  }
  if (text.front() != '/') return absolute_form(cursor.base, text, head);
  const std::size_t mark = text.find('?');
  head.path = span_of(cursor.base, text.substr(0, mark));
  if (mark != std::string_view::npos) head.query = span_of(cursor.base, text.substr(mark + 1));
  return Step::ok;
}

// RFC 9112 section 3.2.2: the authority counts, not the Host field. A client that lets them differ
// is in error, and whoever looked at the other one was misled: refused.
HeadParser::Step HeadParser::absolute_form(const char* base, std::string_view text,
                                           Head& head) noexcept {
  const std::size_t colon = text.find("://");
  const std::string_view scheme = text.substr(0, colon);
  if (colon == std::string_view::npos || (!iequals(scheme, "http") && !iequals(scheme, "https"))) {
    return fail(400, "a malformed request target");
  }
  text.remove_prefix(colon + 3);
  const std::string_view authority = text.substr(0, text.find_first_of("/?"));
  if (!is_valid_host(authority) || (state_.saw_host && !iequals(authority, head.host.in(base)))) {
    return fail(400, "the target's authority is not the Host field");
  }
  head.host = span_of(base, authority);
  text.remove_prefix(authority.size());
  const std::size_t mark = text.find('?');
  head.path = span_of(base, text.substr(0, mark));
  if (mark != std::string_view::npos) head.query = span_of(base, text.substr(mark + 1));
  return Step::ok;
}

bool is_valid_host(std::string_view host) noexcept {
  if (host.empty()) return false;
  std::size_t name_end = 0;
  if (host.front() == '[') {
    name_end = host.find(']');
    if (name_end == std::string_view::npos || name_end < 3) return false;
    for (const char c : host.substr(1, name_end - 1)) {
      if (!is(c, kHex) && c != ':' && c != '.') return false;
    }
    ++name_end;
  } else {
    while (name_end < host.size() && is(host[name_end], kHost)) ++name_end;
    if (name_end == 0) return false;
  }
  if (name_end == host.size()) return true;
  if (host[name_end] != ':') return false;
  const std::string_view port = host.substr(name_end + 1);
  if (port.size() > 5) return false;
  for (const char c : port) {
    if (!is(c, kDigit)) return false;
  }
  return true;
}

}  // namespace aiserve::inline v0::http::detail
