#include "core/json_guard.hpp"

#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "test_paths.hpp"

using aiserve::Errc;
using aiserve::detail::JsonLimits;
using aiserve::detail::parse_json;
using nlohmann::json;

namespace {

std::string problem(std::string_view text, JsonLimits limits = {}) {
  const auto parsed = parse_json(text, limits);
  if (parsed) return "";
  CHECK(parsed.error().code() == Errc::malformed);
  return parsed.error().message();
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE("JSON becomes the value it spells") {
  const auto parsed = parse_json(R"( {"a":[1,-2,3.5,true,null,"x\u00e4\ud83d\ude00"],"b":{}} )");
  REQUIRE(parsed.ok());
  CHECK(*parsed == json::parse(R"({"a":[1,-2,3.5,true,null,"xä😀"],"b":{}})"));
  CHECK(*parse_json("7") == json(7));
  CHECK(*parse_json("18446744073709551615") == json(18446744073709551615ULL));
  CHECK(*parse_json("[[1,[2]],[],[3]]") == json::parse("[[1,[2]],[],[3]]"));
  CHECK(parse_json("[]")->is_array());
}

TEST_CASE("an error says what and at which byte, and quotes nothing") {
  CHECK(problem("") == "invalid JSON at byte 0");
  CHECK(problem("[1,]") == "invalid JSON at byte 3");
  CHECK(problem("{\"secret\" 1}") == "invalid JSON at byte 10");
  CHECK(problem("[1") == "invalid JSON at byte 2");
}

TEST_CASE("text behind the value is refused") {
  CHECK(problem("{} x") == "invalid JSON at byte 3");
  CHECK(problem("1 2") == "invalid JSON at byte 2");
  CHECK(problem("[] []") == "invalid JSON at byte 3");
}

TEST_CASE("a NUL byte is refused wherever it is") {
  using namespace std::string_view_literals;
  CHECK(problem("{\"a\":1}\0,{\"evil\":2}"sv) == "NUL byte in JSON at byte 7");
  CHECK(problem("\0"sv) == "NUL byte in JSON at byte 0");
  CHECK(problem("\"a\0b\""sv) == "NUL byte in JSON at byte 2");
  CHECK(problem("[1]\0"sv) == "NUL byte in JSON at byte 3");
  CHECK(parse_json("\"\\u0000\"").ok());  // escaped it is a character like any other
}

TEST_CASE("duplicate keys are refused at every level, also when spelled differently") {
  CHECK(problem(R"({"a":1,"a":2})") == "duplicate key in JSON at byte 9");
  CHECK(problem(R"({"a":1,"\u0061":2})").starts_with("duplicate key"));
  CHECK(problem(R"([{"x":{"b":1,"c":2,"b":3}}])").starts_with("duplicate key"));
  CHECK(problem(R"({"":1,"":2})").starts_with("duplicate key"));
  CHECK(parse_json(R"([{"a":1},{"a":2},{"b":{"a":3}}])").ok());
}

TEST_CASE("nesting is bounded and 100,000 brackets cost nothing") {
  CHECK(parse_json(nested(64)).ok());
  CHECK(problem(nested(65)) == "nested too deep in JSON at byte 64");
  CHECK(problem(std::string(100'000, '[')) == "nested too deep in JSON at byte 64");
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  CHECK(problem(objects).starts_with("nested too deep"));
  CHECK(parse_json("1", {.max_depth = 0}).ok());
  CHECK(problem("[]", {.max_depth = 0}).starts_with("nested too deep"));
  CHECK(parse_json("[[],[],{}]", {.max_depth = 2}).ok());
}

TEST_CASE("the number of values is bounded") {
  CHECK(parse_json("[1,2,3]", {.max_values = 4}).ok());
  CHECK(problem("[1,2,3,4]", {.max_values = 4}).starts_with("too many values"));
  CHECK(problem("[[],[],[],[]]", {.max_values = 4}).starts_with("too many values"));
}

TEST_CASE("numbers are finite and spelled as JSON spells them") {
  for (const char* text :
       {"NaN", "nan", "Infinity", "-Infinity", "+1", "01", "1.", ".5", "0x10", "1e"}) {
    CAPTURE(text);
    CHECK(problem(text).starts_with("invalid JSON"));
  }
  CHECK(problem("1e999").starts_with("number out of range"));
  CHECK(problem("[-1e999]").starts_with("number out of range"));
  CHECK(parse_json("1e-999").ok());
}

TEST_CASE("strings are valid UTF-8 without raw control characters") {
  for (const char* text :
       {"\"\xff\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\"",
        "\"\\ud800\"", "\"\\udc00x\"", "\"a\nb\"", "{\"\xff\":1}"}) {
    CAPTURE(text);
    CHECK(problem(text).starts_with("invalid JSON"));
  }
}

TEST_CASE("every text of JSONTestSuite gets the answer the standard asks for") {
  const auto folder = vectors_folder() / "JSONTestSuite" / "test_parsing";
  if (!std::filesystem::is_directory(folder)) {
    MESSAGE("SKIPPED: no JSONTestSuite in " << vectors_folder().string());
    return;
  }
  std::size_t seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    CAPTURE(name);
    const auto parsed = parse_json(read_whole(entry.path()));
    if (name.starts_with("y_") && name != "y_object_duplicated_key.json" &&
        name != "y_object_duplicated_key_and_value.json") {
      CHECK(parsed.ok());
    } else if (name.starts_with("n_") || name.starts_with("y_object_dup")) {
      CHECK_FALSE(parsed.ok());
    }
    if (!parsed) CHECK(parsed.error().message().find(" at byte ") != std::string::npos);
    ++seen;
  }
  CHECK(seen > 300);
}

TEST_CASE("no prefix and no single changed byte of a text crashes or slips past the guard") {
  const std::string text = R"({"a":[1,2.5e3,"\u00e4\n"],"b":{"c":null,"d":[true,false]}})";
  for (std::size_t i = 0; i < text.size(); ++i) {
    CHECK_FALSE(parse_json(text.substr(0, i)).ok());
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = text;
      changed[i] = static_cast<char>(byte);
      const auto parsed = parse_json(changed);
      if (parsed) {
        CHECK(parse_json(parsed->dump()).value() == *parsed);
      } else {
        CHECK(parsed.error().message().find(" at byte ") != std::string::npos);
      }
    }
  }
}
