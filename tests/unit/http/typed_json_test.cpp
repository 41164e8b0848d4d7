#include "aiserve/http/typed_json.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

namespace aiserve::http {
namespace {

enum class Size { small, large };
void describe(Description<Size>& d) { d.value("small", Size::small).value("large", Size::large); }

struct Toy {
  std::string name;
  double price = 1.5;
};
void describe(Description<Toy>& d) {
  d.required("name", &Toy::name, {.min_length = 1, .max_length = 5})
      .optional("price", &Toy::price, {.above = 0.0, .below = 100.0});
}

struct Animal {
  std::string name;
};
struct Pet : Animal {
  std::int64_t age = 3;
  std::optional<std::string> nick;
  std::optional<int> chip;
  Size size = Size::small;
  std::vector<Toy> toys;
  std::map<std::string, int> votes;
  bool tame = false;
};
void describe(Description<Pet>& d) {
  d.required("name", &Pet::name, {.pattern = "^[A-Z]"})
      .optional("age", &Pet::age, {.minimum = 0, .maximum = 200})
      .optional("nick", &Pet::nick, {.max_length = 4})
      .required("chip", &Pet::chip)
      .optional("size", &Pet::size)
      .optional("toys", &Pet::toys, {.max_items = 2})
      .optional("votes", &Pet::votes, {.items = {.minimum = 1}})
      .optional("tame", &Pet::tame);
}

struct Circle {
  double radius = 0;
};
void describe(Description<Circle>& d) { d.required("radius", &Circle::radius); }
struct Square {
  double side = 0;
};
void describe(Description<Square>& d) { d.required("side", &Square::side); }
using Shape = std::variant<Circle, Square>;
void describe(Description<Shape>& d) {
  d.name("Shape").tag("kind").alternative<Circle>("circle").alternative<Square>("square");
}

struct Tree {
  int value = 0;
  std::vector<Tree> children;
};
void describe(Description<Tree>& d) {
  d.required("value", &Tree::value).optional("children", &Tree::children);
}

struct Range {
  int begin = 0;
  int end = 0;
};
void describe(Description<Range>& d) {
  d.unknown(Unknown::ignore)
      .required("begin", &Range::begin)
      .required("end", &Range::end)
      .check("end must not be before begin", [](const Range& r) { return r.begin <= r.end; });
}

template <class T>
std::string problem(std::string_view text) {
  const Result<T> read = from_json<T>(text);
  return read ? "" : read.error().message();
}

TEST_CASE("a struct is read from its JSON, and written the same") {
  const std::string text =
      R"({"name":"Rex","age":7,"chip":12,"size":"large",)"
      R"("toys":[{"name":"ball","price":2.5},{"name":"rope","price":1.5}],"votes":{"a":1,"b":2},"tame":true})";
  const Pet pet = from_json<Pet>(text).value();
  CHECK(pet.name == "Rex");
  CHECK(pet.age == 7);
  CHECK(pet.chip == 12);
  CHECK_FALSE(pet.nick);
  CHECK(pet.size == Size::large);
  REQUIRE(pet.toys.size() == 2);
  CHECK(pet.toys[1].price == 1.5);
  CHECK(pet.votes.at("b") == 2);
  CHECK(to_json(pet).value() == text);
}

TEST_CASE("what is left out keeps its default, null empties an optional") {
  const Pet pet = from_json<Pet>(R"({"chip":null,"name":"A","nick":null})").value();
  CHECK(pet.age == 3);
  CHECK_FALSE(pet.chip);
  CHECK(to_json(pet).value() ==
        R"({"name":"A","age":3,"chip":null,"size":"small","toys":[],"votes":{},"tame":false})");
}

TEST_CASE("every bad field is told with its pointer") {
  const auto read = from_json<Pet>(
      R"({"name":"rex","age":-1,"nick":"toolong","size":"huge","toys":[{"price":0},{"name":""},7],)"
      R"("votes":{"a/b":0},"extra":{"deep":[1]},"tame":1})");
  REQUIRE_FALSE(read);
  CHECK(read.error().code() == Errc::invalid_argument);
  CHECK(
      read.error().message() ==
      "/name: must match ^[A-Z]; /age: must be at least 0; /nick: must have at most 4 characters; "
      "and 10 more");
}

TEST_CASE("integers are exact up to the edges of their type") {
  CHECK(from_json<std::int64_t>("-9223372036854775808").value() ==
        std::numeric_limits<std::int64_t>::min());
  CHECK(from_json<std::int64_t>("9223372036854775807").value() ==
        std::numeric_limits<std::int64_t>::max());
  CHECK(from_json<std::uint64_t>("18446744073709551615").value() ==
        std::numeric_limits<std::uint64_t>::max());
  CHECK(from_json<std::int8_t>("-128").value() == -128);
  CHECK(from_json<int>("-0").value() == 0);
  CHECK(problem<std::int64_t>("9223372036854775808") ==
        "the value must be at most 9223372036854775807");
  CHECK(problem<std::int64_t>("-9223372036854775809") ==
        "the value must be at least -9223372036854775808");
  CHECK(problem<std::uint64_t>("18446744073709551616") == "the value must fit 64 bits");
  CHECK(problem<std::uint64_t>("99999999999999999999999") == "the value must fit 64 bits");
  CHECK(problem<unsigned>("-1") == "the value must be at least 0");
  CHECK(problem<std::int8_t>("128") == "the value must be at most 127");
  for (const char* text : {"1.0", "1e3", "1.5", "\"1\"", "true", "null", "[1]"}) {
    CAPTURE(text);
    CHECK(problem<int>(text) == "the value must be an integer");
  }
  CHECK(to_json(std::numeric_limits<std::int64_t>::min()).value() == "-9223372036854775808");
  CHECK(to_json(std::numeric_limits<std::uint64_t>::max()).value() == "18446744073709551615");
}

TEST_CASE("numbers are what their text says, or refused") {
  CHECK(from_json<double>("0.1").value() == 0.1);
  CHECK(from_json<double>("-1E-2").value() == -0.01);
  CHECK(from_json<double>("12345678901234567890").value() == 12345678901234567890.0);
  CHECK(from_json<float>("0.1").value() == 0.1f);
  CHECK(problem<double>("1e400") == "the value must fit a 64-bit float");
  CHECK(problem<double>("1e-400") == "the value must fit a 64-bit float");
  CHECK(problem<float>("1e39") == "the value must fit a 32-bit float");
  CHECK(problem<double>("\"1\"") == "the value must be a number");
  CHECK(to_json(0.1f).value() == "0.1");
  CHECK(to_json(0.1).value() == "0.1");
  CHECK(to_json(std::numeric_limits<double>::quiet_NaN()).value() == "null");
  CHECK(to_json(-std::numeric_limits<double>::infinity()).value() == "null");
}

TEST_CASE("limits of numbers are exclusive where they say so") {
  CHECK(problem<Toy>(R"({"name":"a","price":0})") == "/price: must be above 0");
  CHECK(problem<Toy>(R"({"name":"a","price":100})") == "/price: must be below 100");
  CHECK(problem<Toy>(R"({"name":"a","price":99.9})") == "");
}

TEST_CASE("lengths are counted in characters, and elements are") {
  CHECK(problem<Toy>("{\"name\":\"\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\"}") == "");
  CHECK(problem<Toy>(R"({"name":"aaaaaa"})") == "/name: must have at most 5 characters");
  CHECK(problem<Toy>(R"({"name":""})") == "/name: must have at least 1 character");
  CHECK(problem<Pet>(R"({"name":"A","chip":1,"toys":[{"name":"a"},{"name":"b"},{"name":"c"}]})") ==
        "/toys: must have at most 2 elements");
}

TEST_CASE("duplicate keys are refused, also when one is escaped") {
  CHECK(problem<Toy>(R"({"name":"a","name":"b"})").starts_with("duplicate key"));
  CHECK(problem<Toy>(R"({"name":"a","n\u0061me":"b"})").starts_with("duplicate key"));
  using Map = std::map<std::string, int>;
  CHECK(problem<Map>(R"({"a":1,"a":2})").starts_with("duplicate key"));
  CHECK(problem<Shape>(R"({"kind":"circle","radius":1,"kind":"circle"})").starts_with("duplicate"));
}

TEST_CASE("unknown members are refused unless the description ignores them") {
  CHECK(problem<Toy>(R"({"name":"a","prize":1})") == "/prize: is not known here");
  CHECK(problem<Range>(R"({"begin":1,"end":2,"more":{"a":[1,{"b":null}]}})") == "");
  CHECK(
      problem<Range>(R"({"begin":1,"end":2,"more":{"a":[1,{"b":}]}})").starts_with("invalid JSON"));
}

TEST_CASE("what must hold between members is checked when they are right") {
  CHECK(problem<Range>(R"({"begin":3,"end":2})") == "the value end must not be before begin");
  CHECK(problem<Range>(R"({"begin":3,"end":"2"})") == "/end: must be an integer");
}

TEST_CASE("a variant is what its tag says, wherever it stands") {
  const Shape first = from_json<Shape>(R"({"kind":"square","side":2})").value();
  CHECK(std::get<Square>(first).side == 2);
  const Shape last = from_json<Shape>(R"({"radius":3,"kind":"circle"})").value();
  CHECK(std::get<Circle>(last).radius == 3);
  CHECK(to_json(last).value() == R"({"kind":"circle","radius":3})");
  CHECK(problem<Shape>(R"({"radius":3})") == "/kind: is missing");
  CHECK(problem<Shape>(R"({"kind":"cone"})") == "/kind: must be one of \"circle\", \"square\"");
  for (const char* kind : {"1", "null", "[]", "{\"kind\":\"circle\"}", "\"\"", "\"Circle\""}) {
    CAPTURE(kind);
    const std::string text = "{\"kind\":" + std::string(kind) + ",\"radius\":1}";
    CHECK(problem<Shape>(text) == "/kind: must be one of \"circle\", \"square\"");
  }
  CHECK(problem<Shape>(R"({"kind":"circle","side":1})") ==
        "/side: is not known here; /radius: is missing");
}

TEST_CASE("a variant without description is told by the kind of its value") {
  using Id = std::variant<std::int64_t, std::string, std::vector<int>>;
  CHECK(std::get<std::int64_t>(from_json<Id>("7").value()) == 7);
  CHECK(std::get<std::string>(from_json<Id>("\"x\"").value()) == "x");
  CHECK(std::get<2>(from_json<Id>("[1]").value()).size() == 1);
  CHECK(problem<Id>("true") == "the value must be of another type");
  CHECK(to_json(Id("x")).value() == "\"x\"");
}

TEST_CASE("types that contain themselves are read to the limit of depth") {
  const Tree tree = from_json<Tree>(R"({"value":1,"children":[{"value":2},{"value":3}]})").value();
  CHECK(tree.children[1].value == 3);
  std::string deep;
  for (int i = 0; i < 1'000'000; ++i) deep += R"({"value":1,"children":[)";
  CHECK(problem<Tree>(deep).starts_with("nested too deep"));
  CHECK(problem<Tree>(R"({"value":1,"children":[{"value":2,"children":[{"value":"x"}]}]})") ==
        "/children/0/children/0/value: must be an integer");
}

TEST_CASE("strings with every kind of character survive reading and writing") {
  std::string all;
  for (int c = 0; c < 0x80; ++c) all += static_cast<char>(c);
  all += "\xC3\xA9\xE2\x82\xAC\xF0\x9D\x84\x9E";
  const std::string text = to_json(all).value();
  CHECK(from_json<std::string>(text).value() == all);
  CHECK(to_json(std::string("\xFF")).value() == "\"\xEF\xBF\xBD\"");
}

TEST_CASE("an enum value that has no name is an error of the program") {
  const Result<std::string> written = to_json(static_cast<Size>(7));
  REQUIRE_FALSE(written);
  CHECK(written.error().code() == Errc::internal);
  CHECK(written.error().detail().starts_with("Size: "));
}

TEST_CASE("hostile keys cannot blow up what is told of them") {
  const std::string key(1 << 20, 'k');
  const std::string told = problem<Toy>("{\"name\":\"a\",\"" + key + "\":1}");
  CHECK(told.size() < 200);
  std::string many = "{\"name\":\"a\"";
  for (int i = 0; i < 10'000; ++i) many += ",\"x" + std::to_string(i) + "\":1";
  CHECK(problem<Toy>(many + "}").ends_with("and 97 more"));
}

TEST_CASE("a million keys of a map are read, one more than the limit is refused") {
  std::string keys = "{";
  for (int i = 0; i < 999'999; ++i) keys += "\"" + std::to_string(i) + "\":1,";
  using Map = std::map<std::string, int>;
  std::string full = keys;
  full.back() = '}';
  CHECK(from_json<Map>(full).value().size() == 999'999);
  CHECK(problem<Map>(keys + "\"x\":1}").starts_with("too many values"));
}

}  // namespace
}  // namespace aiserve::http
