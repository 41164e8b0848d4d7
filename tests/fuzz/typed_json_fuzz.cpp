// JSON into described types: whatever the bytes, reading ends, stays in bounds and is strict. What
// is taken is written, read again and written the same; nlohmann's parser takes it too.
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "aiserve/http/typed_json.hpp"
#include "http/json_reader.hpp"

namespace {

using namespace aiserve;

enum class Size { small, large };
void describe(http::Description<Size>& d) {
  d.value("small", Size::small).value("large", Size::large);
}
struct Leaf {
  std::string text;
};
void describe(http::Description<Leaf>& d) {
  d.required("text", &Leaf::text, {.max_length = 20, .pattern = "^(a|b+)*[^c]?$"});
}
struct Count {
  std::int64_t n = 0;
};
void describe(http::Description<Count>& d) { d.required("n", &Count::n); }
using Kind = std::variant<Leaf, Count>;
void describe(http::Description<Kind>& d) {
  d.name("Kind").tag("kind").alternative<Leaf>("leaf").alternative<Count>("count");
}
struct Tree {
  std::string s;
  std::int64_t i = 0;
  std::uint8_t u = 0;
  double d = 0;
  float f = 0;
  bool b = false;
  std::optional<int> o;
  Size e = Size::small;
  std::vector<Tree> t;
  std::map<std::string, Kind> m;
  std::variant<bool, std::string, std::vector<int>> v;
};
void describe(http::Description<Tree>& d) {
  d.unknown(http::Unknown::ignore)
      .optional("s", &Tree::s)
      .optional("i", &Tree::i)
      .optional("u", &Tree::u)
      .optional("d", &Tree::d)
      .optional("f", &Tree::f)
      .optional("b", &Tree::b)
      .optional("o", &Tree::o)
      .optional("e", &Tree::e)
      .optional("t", &Tree::t, {.max_items = 5})
      .optional("m", &Tree::m)
      .optional("v", &Tree::v);
}

void demand(bool held) {
  if (!held) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  http::detail::JsonReader reader(text, {});
  const bool strict = reader.skip() && reader.finish();
  const Result<Tree> tree = http::from_json<Tree>(text);
  // It refuses numbers that no double holds.
  const bool small_numbers = text.find_first_of("eE") == std::string_view::npos && size < 300;
  if (strict && small_numbers) demand(nlohmann::json::accept(text));
  if (!tree) {
    demand(strict || tree.error().code() == Errc::malformed);
    return 0;
  }
  demand(strict);
  const std::string written = http::to_json(*tree).value();
  const Result<Tree> again = http::from_json<Tree>(written);
  demand(again.ok() && http::to_json(*again).value() == written);
  return 0;
}
