#include "aiserve/http/openapi.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "aiserve/core/context.hpp"
#include "aiserve/http/typed.hpp"
#include "unit/http/client.hpp"
#include "unit/http/simulation.hpp"

namespace aiserve::http {
namespace {

using nlohmann::json;

namespace red {
struct Thing {
  std::string colour;
};
void describe(Description<Thing>& d) {
  d.about("A red thing.").required("colour", &Thing::colour, {.about = "how red"});
}
}  // namespace red
namespace blue {
struct Thing {
  std::int64_t depth = 0;
  std::uint8_t level = 1;
  std::optional<float> share;
  std::vector<Thing> parts;
};
void describe(Description<Thing>& d) {
  d.unknown(Unknown::ignore)
      .required("depth", &Thing::depth)
      .optional("level", &Thing::level, {.maximum = 9})
      .optional("share", &Thing::share, {.minimum = 0, .below = 1})
      .optional("parts", &Thing::parts, {.max_items = 2});
}
}  // namespace blue

using Either = std::variant<red::Thing, blue::Thing>;
void describe_either(Description<Either>& d) {
  d.name("Either").tag("is").alternative<red::Thing>("red").alternative<blue::Thing>("blue");
}
namespace red {
void describe(Description<Either>& d) { describe_either(d); }
}  // namespace red

struct Ask {
  std::int64_t id = 0;
  std::string token;
  red::Thing thing;
};
void describe(Description<Ask>& d) {
  d.path("id", &Ask::id, {.minimum = 1, .about = "which"})
      .required_header("X-Token", &Ask::token)
      .body(&Ask::thing);
}

json document_of(const Server& server, const OpenApiOptions& options = {}) {
  return json::parse(openapi_document(server.routes(), options));
}

struct Documented {
  Documented() {
    s.server.put("/a/{id:int}/b/{rest...}",
                 typed([](const Context&, const Ask&) { return blue::Thing(); },
                       {.status = 202, .summary = "Asks", .tags = {"one"}, .open_to_all = true}));
    s.server.get("/either", typed([](const Context&) { return Either(); }));
    s.server.get("/untyped", [](const Context&, const Request&) { return text("x"); });
  }
  Simulation s;
};

TEST_CASE("only typed routes are told, their patterns as OpenAPI writes them") {
  const Documented d;
  const json paths = document_of(d.s.server).at("paths");
  CHECK(paths.size() == 2);
  const json& put = paths.at("/a/{id}/b/{rest}").at("put");
  CHECK(put.at("operationId") == "put_a_id_b_rest");
  CHECK(put.at("summary") == "Asks");
  CHECK(put.at("tags") == json{"one"});
  CHECK(put.at("security") == json::array());
  CHECK(put.at("parameters") ==
        json::parse(R"([{"name":"id","in":"path","required":true,"description":"which",
                         "schema":{"type":"integer","format":"int64","minimum":1}},
                        {"name":"X-Token","in":"header","required":true,"schema":{"type":"string"}},
                        {"name":"rest","in":"path","required":true,"schema":{"type":"string"}}])"));
  CHECK(put.at("requestBody").at("required") == true);
  CHECK(put.at("responses").contains("202"));
  CHECK(put.at("responses").contains("422"));
  CHECK_FALSE(paths.at("/either").at("get").contains("requestBody"));
  CHECK_FALSE(paths.at("/either").at("get").at("responses").contains("422"));
}

TEST_CASE("two types of one name are told apart, and types may contain themselves") {
  const Documented d;
  const json document = document_of(d.s.server);
  const json& put = document.at("paths").at("/a/{id}/b/{rest}").at("put");
  const auto reference = [](const json& content) {
    return content.at("content").at("application/json").at("schema").at("$ref").get<std::string>();
  };
  CHECK(reference(put.at("requestBody")) == "#/components/schemas/Thing");
  CHECK(reference(put.at("responses").at("202")) == "#/components/schemas/Thing_2");
  const json& schemas = document.at("components").at("schemas");
  CHECK(schemas.at("Thing") ==
        json::parse(R"({"description":"A red thing.","type":"object","required":["colour"],
          "properties":{"colour":{"type":"string","description":"how red"}},
          "additionalProperties":false})"));
  CHECK(schemas.at("Thing_2") == json::parse(R"({"type":"object","required":["depth"],"properties":{
          "depth":{"type":"integer","format":"int64"},
          "level":{"type":"integer","minimum":0,"maximum":9,"default":1},
          "share":{"anyOf":[{"type":"number","format":"float","minimum":0,"exclusiveMaximum":1},
                            {"type":"null"}]},
          "parts":{"type":"array","items":{"$ref":"#/components/schemas/Thing_2"},"maxItems":2,
                   "default":[]}}})"));
}

TEST_CASE("an alternative is its struct with the tag, and nothing else if the struct is strict") {
  const Documented d;
  const json either = document_of(d.s.server).at("components").at("schemas").at("Either");
  REQUIRE(either.at("oneOf").size() == 2);
  CHECK(either.at("oneOf")[0] ==
        json::parse(R"({"title":"red","type":"object","required":["is","colour"],"properties":{
          "is":{"type":"string","const":"red"},
          "colour":{"type":"string","description":"how red"}},"additionalProperties":false})"));
}

TEST_CASE("security is told of the whole and of what needs none") {
  const Documented d;
  const json document = document_of(
      d.s.server,
      {.title = "T",
       .version = "2",
       .servers = {"/api"},
       .security = {{.name = "token"}, {.kind = SecurityScheme::Kind::header, .name = "key"}}});
  CHECK(document.at("info") == json{{"title", "T"}, {"version", "2"}});
  CHECK(document.at("servers") == json::parse(R"([{"url":"/api"}])"));
  CHECK(document.at("security") == json::parse(R"([{"token":[]},{"key":[]}])"));
  CHECK(document.at("components").at("securitySchemes") ==
        json::parse(R"({"token":{"type":"http","scheme":"bearer"},
                        "key":{"type":"apiKey","in":"header","name":"X-API-Key"}})"));
}

TEST_CASE("the document has the routes that were added after its own") {
  Simulation s;
  s.server.get("/openapi.json", openapi(s.server, {.title = "Late"}));
  s.server.get("/late", typed([](const Context&) { return 1; }));
  s.server.get("/docs", docs_page("/openapi.json\"><script>"));
  s.sim.start();
  const auto get = [&s](const std::string& path) {
    RawClient client(s.server.port());
    client.send("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
    s.settle();
    return client.reply();
  };
  const Reply reply = get("/openapi.json");
  CHECK(reply.head.find("Content-Type: application/json") != std::string::npos);
  CHECK(json::parse(reply.body).at("paths").contains("/late"));
  const Reply page = get("/docs");
  CHECK(page.head.find("Content-Security-Policy: default-src 'none'; connect-src 'self'") !=
        std::string::npos);
  CHECK(page.body.find("data-document=\"/openapi.json&quot;><script>\"") != std::string::npos);
  CHECK(page.body.find("src=") == std::string::npos);
  CHECK(page.body.find("http://") == std::string::npos);
  CHECK(page.body.find("https://") == std::string::npos);
}

}  // namespace
}  // namespace aiserve::http
