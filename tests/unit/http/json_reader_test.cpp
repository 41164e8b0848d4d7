#include "http/json_reader.hpp"

#include <string>

#include <doctest/doctest.h>

namespace aiserve::http::detail {
namespace {

// Empty if the text is one JSON value.
std::string problem(std::string_view text, const JsonLimits& limits = {}) {
  // A block of the exact size: reading beyond it is seen by ASan.
  const std::string exact(text);
  JsonReader reader(std::string_view(exact.data(), exact.size()), limits);
  return reader.skip() && reader.finish() ? "" : reader.error().message();
}

std::string string_of(std::string_view text) {
  JsonReader reader(text, {});
  std::string_view value;
  REQUIRE(reader.peek() == JsonToken::string);
  REQUIRE(reader.read_string(value));
  return std::string(value);
}

TEST_CASE("the reader takes every kind of value, and space where it may be") {
  CHECK(problem("null") == "");
  CHECK(problem(" \t\r\n{ \"a\" : [ 1 , -0.5e+10 , true , false , \"x\" , { } , [ ] ] } ") == "");
  CHECK(problem("0") == "");
  CHECK(problem("\"\"") == "");
}

TEST_CASE("what is no JSON is refused with its place") {
  CHECK(problem("") == "invalid JSON at byte 0");
  CHECK(problem("[1,]") == "invalid JSON at byte 3");
  CHECK(problem("[1 2]") == "invalid JSON at byte 3");
  CHECK(problem("{\"a\":1,}") == "invalid JSON at byte 7");
  CHECK(problem("{a:1}") == "invalid JSON at byte 1");
  CHECK(problem("[1") == "invalid JSON at byte 2");
  CHECK(problem("{\"a\"}") == "invalid JSON at byte 4");
  CHECK(problem("[1]x") == "invalid JSON at byte 3");
  CHECK(problem("tru") == "invalid JSON at byte 0");
  CHECK(problem("nullx") == "invalid JSON at byte 4");
  CHECK(problem("// no\n1") == "invalid JSON at byte 0");
  CHECK(problem("'a'") == "invalid JSON at byte 0");
  for (const char* number : {"01", "-", "+1", ".5", "1.", "1e", "1e+", "0x10", "NaN", "Infinity",
                             "-Infinity", "1_000", "--1", "1.2.3", "１"}) {
    CAPTURE(number);
    CHECK(problem(number).starts_with("invalid JSON"));
  }
}

TEST_CASE("a byte order mark, NUL bytes and bytes behind the value are refused") {
  CHECK(problem("\xEF\xBB\xBF{}") == "invalid JSON at byte 0");
  CHECK(problem(std::string_view("{}\0", 3)) == "invalid JSON at byte 2");
  CHECK(problem(std::string_view("\"a\0b\"", 5)) == "control character in JSON at byte 2");
  CHECK(problem("{}{}") == "invalid JSON at byte 2");
}

TEST_CASE("escapes become what they mean") {
  CHECK(string_of(R"("\"\\\/\b\f\n\r\t")") == "\"\\/\b\f\n\r\t");
  CHECK(string_of(R"("a\u0041\u00e9\u20ac\uD834\uDD1E")") ==
        "aA\xC3\xA9\xE2\x82\xAC\xF0\x9D\x84\x9E");
  CHECK(string_of("\"\\u0000\"") == std::string(1, '\0'));
  CHECK(string_of("\"long enough for eight bytes at once \\n and again after it\"") ==
        "long enough for eight bytes at once \n and again after it");
}

TEST_CASE("escapes that mean nothing and lone surrogates are refused") {
  for (const char* text : {R"("\x")", R"("\u12")", R"("\u12G4")", "\"\\", R"("\u")", "\"\\u123"}) {
    CAPTURE(text);
    CHECK(problem(text).find("JSON at byte") != std::string::npos);
  }
  CHECK(problem(R"("\uD834")") == "lone surrogate in JSON at byte 7");
  CHECK(problem(R"("\uD834x")") == "lone surrogate in JSON at byte 7");
  CHECK(problem(R"("\uDD1E")") == "lone surrogate in JSON at byte 7");
  CHECK(problem(R"("\uD834\u0041")") == "lone surrogate in JSON at byte 13");
  CHECK(problem(R"("\uD834\uD834")") == "lone surrogate in JSON at byte 13");
}

TEST_CASE("invalid UTF-8 is refused wherever it stands in a word of eight bytes") {
  for (std::size_t at = 0; at < 20; ++at) {
    for (const std::string_view bad :
         {"\xFF", "\xC0\xAF", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\x80"}) {
      std::string text(20, 'a');
      text.insert(at, bad);
      CAPTURE(at);
      CHECK(problem('"' + text + '"').starts_with("invalid UTF-8"));
    }
    std::string control(20, 'a');
    control[at] = '\x1f';
    CHECK(problem('"' + control + '"').starts_with("control character"));
    std::string fine(20, 'a');
    fine.insert(at, "\xC3\xA9");
    CHECK(problem('"' + fine + '"') == "");
  }
}

TEST_CASE("every limit ends the reading") {
  CHECK(problem("[[[]]]", {.max_depth = 3}) == "");
  CHECK(problem("[[[]]]", {.max_depth = 2}) == "nested too deep in JSON at byte 2");
  CHECK(problem("[1,2,3]", {.max_values = 4}) == "");
  CHECK(problem("[1,2,3]", {.max_values = 3}) == "too many values in JSON at byte 5");
  CHECK(problem("[12345]", {.max_number = 5}) == "");
  CHECK(problem("[12345]", {.max_number = 4}) == "too long a number in JSON at byte 6");
  CHECK(problem("{\"abc\":1}", {.max_string = 2}).starts_with("too long a string"));
}

TEST_CASE("depth of a million, a million keys and a number of 100,000 digits cost nothing") {
  CHECK(problem(std::string(1'000'000, '[')).starts_with("nested too deep"));
  std::string objects;
  for (int i = 0; i < 1'000'000; ++i) objects += "{\"a\":";
  CHECK(problem(objects).starts_with("nested too deep"));
  std::string keys = "{";
  for (int i = 0; i < 1'000'000; ++i) keys += "\"k" + std::to_string(i) + "\":1,";
  keys.back() = '}';
  CHECK(problem(keys).starts_with("too many values"));
  CHECK(problem(std::string(100'000, '9')).starts_with("too long a number"));
  CHECK(problem("1e" + std::string(100'000, '9')).starts_with("too long a number"));
}

TEST_CASE("looking ahead again and again is refused before it becomes quadratic") {
  const std::string text = "[" + std::string(1000, ' ') + "]";
  JsonReader reader(text, {});
  const JsonReader::Mark start = reader.mark();
  int times = 0;
  do {
    REQUIRE(reader.skip());
    ++times;
  } while (reader.rewind(start) && times < 100);
  CHECK(times == 4);
  CHECK(reader.failed());
}

}  // namespace
}  // namespace aiserve::http::detail
