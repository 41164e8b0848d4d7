#include "http/json_reader.hpp"

#include <bit>
#include <cstring>

#include "core/utf8.hpp"
#include "http/char_class.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101u;
constexpr std::uint64_t kHighs = 0x8080808080808080u;
static_assert(std::endian::native == std::endian::little, "the first byte is the lowest");

// The high bit of every byte that is zero; of bytes above it perhaps too.
constexpr std::uint64_t zero_bytes(std::uint64_t word) noexcept { return (word - kOnes) & ~word; }

// The high bit of the first of eight bytes that is a quote, a backslash, a control character or no
// ASCII, and of some behind it; 0 if there is none.
constexpr std::uint64_t specials(std::uint64_t word) noexcept {
  const std::uint64_t control = (word - kOnes * 0x20) & ~word;
  const std::uint64_t quote = zero_bytes(word ^ (kOnes * '"'));
  const std::uint64_t backslash = zero_bytes(word ^ (kOnes * '\\'));
  return (word | control | quote | backslash) & kHighs;
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// Behind the digits from `at` on, which are appended to `value`.
inline const char* take_digits(const char* at, const char* end, std::uint64_t& value) noexcept {
  for (; at != end && is_digit(*at); ++at) value = value * 10 + static_cast<unsigned>(*at - '0');
  return at;
}

void append_utf8(std::string& out, unsigned code) {
  const auto put = [&out](unsigned byte) { out += static_cast<char>(byte); };
  const auto tail = [&put, code](unsigned shift) { put(0x80u | ((code >> shift) & 0x3Fu)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xC0u | (code >> 6));
    return tail(0);
  }
  if (code < 0x10000) {
    put(0xE0u | (code >> 12));
  } else {
    put(0xF0u | (code >> 18));
    tail(12);
  }
  tail(6);
  tail(0);
}

}  // namespace

bool JsonReader::fail(const char* problem) noexcept {
  if (problem_ == nullptr) problem_ = problem;
  return false;
}

Error JsonReader::error() const {
  const bool invalid = problem_ == nullptr || std::strcmp(problem_, "invalid") == 0;
  const std::string what = invalid ? "invalid JSON" : std::string(problem_) + " in JSON";
  return {Errc::malformed, what + " at byte " + std::to_string(at_)};
}

void JsonReader::skip_more_space() noexcept {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') return;
    ++at_;
  }
}

JsonToken JsonReader::peek() noexcept {
  if (failed()) return JsonToken::none;
  skip_space();
  if (at_ == text_.size()) return JsonToken::none;
  switch (text_[at_]) {
    case '{':
      return JsonToken::object;
    case '[':
      return JsonToken::array;
    case '"':
      return JsonToken::string;
    case 't':
    case 'f':
      return JsonToken::boolean;
    case 'n':
      return JsonToken::null;
    default:
      return is_digit(text_[at_]) || text_[at_] == '-' ? JsonToken::number : JsonToken::none;
  }
}

bool JsonReader::count_value() noexcept {
  if (failed()) return false;
  return ++values_ <= limits_.max_values || fail("too many values");
}

bool JsonReader::enter() noexcept {
  if (!count_value()) return false;
  if (++depth_ > limits_.max_depth) return fail("nested too deep");
  ++at_;
  return true;
}

bool JsonReader::next_member(bool& first, std::string_view& key) {
  skip_space();
  if (failed()) return false;
  if (at_char('}')) {
    ++at_;
    --depth_;
    return false;
  }
  if (!first) {
    if (!at_char(',')) return fail("invalid");
    ++at_;
    skip_space();
  }
  first = false;
  if (!at_char('"')) return fail("invalid");
  if (!text(key)) return false;
  skip_space();
  if (!at_char(':')) return fail("invalid");
  ++at_;
  return true;
}

bool JsonReader::next_element(bool& first) {
  skip_space();
  if (failed()) return false;
  if (at_char(']')) {
    ++at_;
    --depth_;
    return false;
  }
  if (!first) {
    if (!at_char(',')) return fail("invalid");
    ++at_;
  }
  first = false;
  return true;
}

bool JsonReader::literal(std::string_view word) noexcept {
  if (!count_value()) return false;
  if (text_.substr(at_, word.size()) != word) return fail("invalid");
  at_ += word.size();
  return true;
}

bool JsonReader::read_boolean(bool& value) noexcept {
  value = at_char('t');
  return literal(value ? "true" : "false");
}

// -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?  (RFC 8259 section 6)
bool JsonReader::read_number(JsonNumber& number) noexcept {
  if (!count_value()) return false;
  const char* const begin = text_.data() + at_;
  const char* const end = text_.data() + text_.size();
  const char* at = begin;
  std::uint64_t value = 0;
  std::uint64_t ignored = 0;
  number.minus = at != end && *at == '-';
  if (number.minus) ++at;
  const bool zero = at != end && *at == '0';
  const char* behind = zero ? at + 1 : take_digits(at, end, value);
  if (behind == at) return fail_at(at);
  at = behind;
  if (at != end && *at == '.') {
    behind = take_digits(++at, end, value);
    if (behind == at) return fail_at(at);
    number.decimals = static_cast<std::uint32_t>(behind - at);
    at = behind;
  }
  number.exponent = at != end && (*at == 'e' || *at == 'E');
  if (number.exponent) {
    if (++at != end && (*at == '+' || *at == '-')) ++at;
    behind = take_digits(at, end, ignored);
    if (behind == at) return fail_at(at);
    at = behind;
  }
  number.digits = value;
  number.text = {begin, static_cast<std::size_t>(at - begin)};
  at_ += number.text.size();
  return number.text.size() <= limits_.max_number || fail("too long a number");
}

bool JsonReader::fail_at(const char* where) noexcept {
  at_ = static_cast<std::size_t>(where - text_.data());
  return fail("invalid");
}

bool JsonReader::read_string(std::string_view& value) { return count_value() && text(value); }

// Up to a quote or a backslash.
bool JsonReader::skip_plain() noexcept {
  while (at_ < text_.size()) {
    if (std::uint64_t word = 0; text_.size() - at_ >= sizeof word) {
      std::memcpy(&word, text_.data() + at_, sizeof word);
      const std::uint64_t found = specials(word);
      at_ += found == 0 ? sizeof word : static_cast<std::size_t>(std::countr_zero(found)) / 8;
      if (found == 0) continue;
    }
    const char c = text_[at_];
    if (c == '"' || c == '\\') return true;
    if (static_cast<unsigned char>(c) < 0x20) return fail("control character");
    if (static_cast<unsigned char>(c) < 0x80) {
      ++at_;
      continue;
    }
    const auto step = v0::detail::next_utf8(text_.substr(at_));
    if (!step.valid) return fail("invalid UTF-8");
    at_ += step.length;
  }
  return fail("invalid");
}

bool JsonReader::text(std::string_view& value) {
  std::size_t begin = ++at_;
  if (!skip_plain()) return false;
  if (text_[at_] == '"') {
    value = text_.substr(begin, at_ - begin);
  } else {
    scratch_.clear();
    while (text_[at_] == '\\') {
      scratch_.append(text_.substr(begin, at_ - begin));
      if (!escape()) return false;
      begin = at_;
      if (!skip_plain()) return false;
    }
    scratch_.append(text_.substr(begin, at_ - begin));
    value = scratch_;
  }
  if (value.size() > limits_.max_string) return fail("too long a string");
  ++at_;
  return true;
}

bool JsonReader::escape() {
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
  if (++at_ == text_.size()) return fail("invalid");
  if (text_[at_] == 'u') return unicode_escape();
  const std::size_t which = kLetters.find(text_[at_]);
  if (which == std::string_view::npos) return fail("invalid escape");
  scratch_ += kMeant[which];
  ++at_;
  return true;
}

// The four digits behind the u that is next.
bool JsonReader::code_unit(unsigned& unit) noexcept {
  if (text_.size() - at_ < 5) return fail("invalid escape");
  unit = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = hex_value(text_[++at_]);
    if (digit < 0) return fail("invalid escape");
    unit = unit * 16 + static_cast<unsigned>(digit);
  }
  ++at_;
  return true;
}

bool JsonReader::unicode_escape() {
  unsigned code = 0;
  if (!code_unit(code)) return false;
  if (code >= 0xDC00 && code <= 0xDFFF) return fail("lone surrogate");
  if (code >= 0xD800 && code <= 0xDBFF) {
    if (text_.substr(at_, 2) != "\\u") return fail("lone surrogate");
    ++at_;
    unsigned low = 0;
    if (!code_unit(low)) return false;
    if (low < 0xDC00 || low > 0xDFFF) return fail("lone surrogate");
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  append_utf8(scratch_, code);
  return true;
}

bool JsonReader::skip() {
  std::string_view ignored;
  JsonNumber number;
  bool first = true;
  bool truth = false;
  switch (peek()) {
    case JsonToken::object:
      if (!enter()) return false;
      while (next_member(first, ignored)) {
        if (!skip()) return false;
      }
      return !failed();
    case JsonToken::array:
      if (!enter()) return false;
      while (next_element(first)) {
        if (!skip()) return false;
      }
      return !failed();
    case JsonToken::string:
      return read_string(ignored);
    case JsonToken::number:
      return read_number(number);
    case JsonToken::boolean:
      return read_boolean(truth);
    case JsonToken::null:
      return read_null();
    case JsonToken::none:
      break;
  }
  return fail("invalid");
}

bool JsonReader::finish() noexcept {
  if (failed()) return false;
  skip_space();
  return at_ == text_.size() || fail("invalid");
}

bool JsonReader::rewind(const Mark& mark) noexcept {
  if (failed()) return false;
  read_again_ += at_ - mark.at;
  if (read_again_ / 3 > text_.size()) return fail("tags too far behind");
  at_ = mark.at;
  depth_ = mark.depth;
  values_ = mark.values;
  return true;
}

}  // namespace aiserve::inline v0::http::detail
