// JsonReader: JSON text (RFC 8259) token by token, without a tree.
//
// Strict: no byte order mark, no invalid UTF-8, no lone surrogates, no control characters in
// strings, no NaN, nothing behind the value. Bounded by JsonLimits. After a failure every call
// fails; error() says what and where and quotes nothing of the text.
//
//     JsonReader reader(text, {});
//     if (reader.peek() == JsonToken::object) {
//       reader.enter();
//       for (bool first = true; reader.next_member(first, key);) reader.skip();
//     }
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "aiserve/core/error.hpp"
#include "aiserve/http/json_limits.hpp"
#include "http/decimal.hpp"

namespace aiserve::inline v0::http::detail {

enum class JsonToken : std::uint8_t { object, array, string, number, boolean, null, none };

class JsonReader {
 public:
  // The text must outlive the reader.
  JsonReader(std::string_view text, const JsonLimits& limits) noexcept
      : text_(text), limits_(limits) {}

  // What comes next, `none` at the end, at what begins no value, and after a failure.
  JsonToken peek() noexcept;

  // Of a container that peek() saw.
  bool enter() noexcept;
  // False at the end of the container, which is left then, and after a failure. The key lives until
  // the next call of the reader.
  bool next_member(bool& first, std::string_view& key);
  bool next_element(bool& first);

  // Each of a value that peek() saw. The number is a fresh one; its text is a view of the reader's.
  bool read_null() noexcept { return literal("null"); }
  bool read_boolean(bool& value) noexcept;
  bool read_number(JsonNumber& number) noexcept;
  // The view lives until the next call of the reader.
  bool read_string(std::string_view& value);
  bool skip();
  // That nothing but space is left.
  bool finish() noexcept;

  bool fail(const char* problem) noexcept;
  bool failed() const noexcept { return problem_ != nullptr; }
  // malformed: "duplicate key in JSON at byte 17".
  Error error() const;

  struct Mark {
    std::size_t at;
    std::size_t depth;
    std::size_t values;
  };
  Mark mark() const noexcept { return {at_, depth_, values_}; }
  // Reads again from there. Fails when more was read again in all than three times the text: nested
  // looking ahead must not become quadratic.
  bool rewind(const Mark& mark) noexcept;

 private:
  // Mostly there is none.
  void skip_space() noexcept {
    if (at_ < text_.size() && text_[at_] > ' ') return;
    skip_more_space();
  }
  void skip_more_space() noexcept;
  bool literal(std::string_view word) noexcept;
  bool count_value() noexcept;
  bool text(std::string_view& value);
  bool skip_plain() noexcept;
  bool escape();
  bool code_unit(unsigned& unit) noexcept;
  bool unicode_escape();
  bool fail_at(const char* where) noexcept;
  bool at_char(char c) const noexcept { return at_ < text_.size() && text_[at_] == c; }

  std::string_view text_;
  const JsonLimits limits_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::size_t values_ = 0;
  std::size_t read_again_ = 0;
  std::string scratch_;  // a string with escapes
  const char* problem_ = nullptr;
};

}  // namespace aiserve::inline v0::http::detail
