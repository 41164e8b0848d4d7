// JSONTestSuite and the Big List of Naughty Strings (AISERVE_VECTORS) through what typed handlers
// read with.
#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "aiserve/core/context.hpp"
#include "aiserve/http/typed.hpp"
#include "aiserve/http/typed_json.hpp"
#include "http/json_reader.hpp"
#include "unit/core/test_paths.hpp"
#include "unit/http/made_request.hpp"

namespace aiserve::http {
namespace {

struct Said {
  std::string text;
};
void describe(Description<Said>& d) { d.required("text", &Said::text); }

bool accepted(const std::string& text) {
  detail::JsonReader reader(text, {});
  return reader.skip() && reader.finish();
}

bool skipped(const std::filesystem::path& path) {
  if (std::filesystem::exists(path)) return false;
  MESSAGE("SKIPPED: no vectors, set AISERVE_VECTORS");
  return true;
}

std::string post(std::string_view body) {
  return "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\r\n" + std::string(body);
}

TEST_CASE("JSONTestSuite: all that must be taken is, and nothing that must not") {
  const auto folder = vectors_folder() / "JSONTestSuite/test_parsing";
  if (skipped(folder)) return;
  const auto handler = typed([](const Context&, const Said& said) { return said.text; });
  std::map<char, int> seen;
  std::vector<std::string> taken;  // of those where both is allowed
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    const std::string name = file.path().filename();
    const std::string text = read_whole(file.path());
    CAPTURE(name);
    ++seen[name[0]];
    const bool ok = accepted(text);
    if (name[0] == 'y') CHECK(ok);
    if (name[0] == 'n') CHECK_FALSE(ok);
    if (name[0] == 'i' && ok) taken.push_back(name);
    // None of them is what the handler takes: 400 or 422, never a 200, a crash or a hang.
    const Made made(post(text));
    const int status = handler(Context::background(), made.request).value().status();
    CHECK(status == (ok ? 422 : 400));
  }
  CHECK(seen['y'] >= 90);
  CHECK(seen['n'] >= 180);
  // Taken is what is JSON by the grammar (numbers of any size); refused is all that is no UTF-8.
  std::sort(taken.begin(), taken.end());
  CHECK(std::all_of(taken.begin(), taken.end(),
                    [](const std::string& name) { return name.starts_with("i_number"); }));
}

TEST_CASE("naughty strings arrive as they were sent, and come back the same") {
  const auto path = vectors_folder() / "naughty-strings/blns.json";
  if (skipped(path)) return;
  const auto strings = nlohmann::json::parse(read_whole(path));
  REQUIRE(strings.size() > 500);
  const auto handler = typed([](const Context&, const Said& said) { return said; });
  for (const auto& entry : strings) {
    const auto wanted = entry.get<std::string>();
    CAPTURE(wanted);
    for (const bool ascii : {false, true}) {
      const Made made(post(nlohmann::json{{"text", wanted}}.dump(-1, ' ', ascii)));
      const Response response = handler(Context::background(), made.request).value();
      REQUIRE(response.status() == 200);
      CHECK(nlohmann::json::parse(response.body()).at("text").get<std::string>() == wanted);
    }
  }
}

}  // namespace
}  // namespace aiserve::http
