#include "aiserve/http/typed.hpp"

#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "aiserve/core/context.hpp"
#include "unit/http/client.hpp"
#include "unit/http/made_request.hpp"
#include "unit/http/simulation.hpp"

namespace aiserve::http {
namespace {

struct EchoIn {
  std::string text;
  int times = 1;
};
void describe(Description<EchoIn>& d) {
  d.required("text", &EchoIn::text, {.max_length = 10})
      .optional("times", &EchoIn::times, {.minimum = 1, .maximum = 3});
}
struct EchoOut {
  std::string text;
};
void describe(Description<EchoOut>& d) { d.required("text", &EchoOut::text); }

struct Level {
  int level = 3;
};
void describe(Description<Level>& d) { d.optional("level", &Level::level); }

enum class Order { up, down };
void describe(Description<Order>& d) { d.value("up", Order::up).value("down", Order::down); }

struct Search {
  std::int64_t shop = 0;
  std::optional<std::string> text;
  int limit = 10;
  Order order = Order::up;
  std::vector<int> ids;
  std::optional<double> trust;
  bool all = false;
};
void describe(Description<Search>& d) {
  d.path("shop", &Search::shop, {.minimum = 1})
      .query("q", &Search::text, {.max_length = 5})
      .query("limit", &Search::limit, {.minimum = 1, .maximum = 100})
      .query("order", &Search::order)
      .query("id", &Search::ids, {.max_items = 3, .items = {.minimum = 0}})
      .header("X-Trust", &Search::trust)
      .query("all", &Search::all)
      .check("all needs no limit", [](const Search& s) { return !s.all || s.limit == 10; });
}

struct Update {
  std::string id;
  int version = 0;
  EchoIn content;
};
void describe(Description<Update>& d) {
  d.path("id", &Update::id).required_header("If-Version", &Update::version).body(&Update::content);
}

struct Rename {
  std::string id;
  std::string name;
};
void describe(Description<Rename>& d) {
  d.path("id", &Rename::id).required("name", &Rename::name, {.min_length = 1});
}

EchoOut echo(const Context&, const EchoIn& in) {
  EchoOut out;
  for (int i = 0; i < in.times; ++i) out.text += in.text;
  return out;
}

std::string post(std::string_view body, std::string_view type = "application/json") {
  return "POST /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Type: " + std::string(type) + "\r\n\r\n" +
         std::string(body);
}

template <class Handler>
Response answer(const Handler& handler, const Made& made) {
  return handler(Context::background(), made.request).value();
}

TEST_CASE("a handler takes a struct and gives one") {
  const auto handler = typed(echo);
  const Response response = answer(handler, Made(post(R"({"text":"ab","times":2})")));
  CHECK(response.status() == 200);
  CHECK(response.header("Content-Type") == "application/json");
  CHECK(response.body() == R"({"text":"abab"})");
}

TEST_CASE("a Result that is an error, and a status of one's own, reach the client") {
  const auto refusing = typed([](const Context&, const EchoIn&) -> Result<EchoOut> {
    return Error(Errc::conflict, "not now");
  });
  const Made made(post(R"({"text":"a"})"));
  CHECK(refusing(Context::background(), made.request).error().code() == Errc::conflict);
  CHECK(answer(typed(echo, {.status = 201}), made).status() == 201);
  const auto silent = typed([](const Context&, EchoIn) {});
  CHECK(answer(silent, made).status() == 204);
  CHECK(answer(silent, made).body().empty());
  const auto own =
      typed([](const Context&, const EchoIn& in) { return text(in.text).status(202); });
  CHECK(answer(own, made).status() == 202);
  CHECK(answer(own, made).body() == "a");
}

TEST_CASE("every bad field stands in one 422 with its place") {
  const Response response = answer(typed(echo), Made(post(R"({"times":9,"txt":"a","x":[{]}]})")));
  CHECK(response.status() == 400);
  const Response listed = answer(typed(echo), Made(post(R"({"times":9,"txt":"a"})")));
  CHECK(listed.status() == 422);
  CHECK(listed.header("Content-Type") == "application/problem+json");
  CHECK(listed.body().find(
            R"("errors":[{"in":"body","pointer":"/times","detail":"must be at most 3"},)"
            R"({"in":"body","pointer":"/txt","detail":"is not known here"},)"
            R"({"in":"body","pointer":"/text","detail":"is missing"}]})") != std::string::npos);
}

TEST_CASE("what is no JSON is 400, what doesn't say it is JSON 415") {
  const auto handler = typed(echo);
  CHECK(answer(handler, Made(post("{"))).status() == 400);
  CHECK(answer(handler, Made(post(""))).status() == 400);
  CHECK(answer(handler, Made(post("{}", "text/plain"))).status() == 415);
  CHECK(answer(handler, Made(post("{}", "application/x-www-form-urlencoded"))).status() == 415);
  CHECK(
      answer(handler, Made(post(R"({"text":"a"})", "Application/JSON; charset=utf-8"))).status() ==
      200);
  CHECK(answer(handler, Made(post(R"({"text":"a"})", "application/merge-patch+json"))).status() ==
        200);
}

TEST_CASE("a body may be left out if nothing in it is required") {
  const auto handler = typed([](const Context&, const Level& in) { return in.level; });
  CHECK(answer(handler, Made(post(""))).body() == "3");
  CHECK(answer(handler, Made(post("{}"))).body() == "3");
  CHECK(answer(handler, Made(post(R"({"level":4})"))).body() == "4");
  CHECK(answer(handler, Made(post("null"))).status() == 422);
}

// A server on simulated time with the handlers that need a route.
struct Shop {
  Shop() {
    s.server.get("/shops/{shop}/items", typed([this](const Context&, const Search& in) {
                   seen = in;
                   return static_cast<int>(in.ids.size());
                 }));
    s.server.put("/items/{id}", typed([this](const Context&, const Update& in) {
                   updated = in;
                   return in.content;
                 }));
    s.server.post("/items/{id}/name",
                  typed([](const Context& ctx, const Rename& in) -> Async<std::string> {
                    const Result<void> slept = co_await sleep(ctx, std::chrono::milliseconds(5));
                    if (!slept) co_return slept.error();
                    co_return in.id + "=" + in.name;
                  }));
    s.server.get("/time", typed([](const Context&) { return 7; }));
    s.server.get("/route", typed([](const Context&, const Request& request) {
                   return std::string(request.route());
                 }));
    s.sim.start();
  }
  Reply ask(const std::string& text) {
    RawClient client(s.server.port());
    client.send(text);
    s.settle();
    s.sim.advance(std::chrono::milliseconds(10));
    s.settle();
    return client.reply();
  }
  Reply get(const std::string& target, const std::string& fields = "") {
    return ask("GET " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n");
  }
  Reply send(const std::string& line, const std::string& body, const std::string& fields = "") {
    return ask(line + " HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\n" + fields + "\r\n" + body);
  }

  Simulation s;
  Search seen;
  Update updated;
};

TEST_CASE("path, query and header are typed like a body") {
  Shop shop;
  CHECK(shop.get("/shops/12/items").body == "0");
  CHECK(shop.seen.shop == 12);
  CHECK(shop.seen.limit == 10);
  CHECK_FALSE(shop.seen.text);
  const Reply reply = shop.get(
      "/shops/9223372036854775807/items?q=a+%C3%A9&limit=100&order=down&id=1&id=2&all=false",
      "x-trust: 0.5\r\n");
  CHECK(reply.body == "2");
  CHECK(shop.seen.shop == 9223372036854775807);
  CHECK(shop.seen.text == "a \xC3\xA9");
  CHECK(shop.seen.order == Order::down);
  CHECK(shop.seen.ids == std::vector<int>{1, 2});
  CHECK(shop.seen.trust == 0.5);
}

TEST_CASE("bad parameters are listed by where they came from") {
  Shop shop;
  const Reply reply = shop.get(
      "/shops/0/items?q=toolong&limit=1e1&order=left&id=1&id=-1&id=x&id=4&all=yes&page=2&limit=3",
      "X-Trust: much\r\nX-Trust: 1\r\n");
  CHECK(reply.status == 422);
  for (const char* part :
       {R"({"in":"path","name":"shop","detail":"must be at least 1"})",
        R"({"in":"query","name":"q","detail":"must have at most 5 characters"})",
        R"({"in":"query","name":"limit","detail":"must be an integer"})",
        R"({"in":"query","name":"order","detail":"must be one of \"up\", \"down\""})",
        R"({"in":"query","name":"id","detail":"must be at least 0"})",
        R"({"in":"query","name":"id","detail":"must be an integer"})",
        R"({"in":"query","name":"id","detail":"must have at most 3 elements"})",
        R"({"in":"query","name":"all","detail":"must be true or false"})",
        R"({"in":"query","name":"page","detail":"is not known here"})",
        R"({"in":"query","name":"limit","detail":"must be given once"})",
        R"({"in":"header","name":"X-Trust","detail":"must be a number"})",
        R"({"in":"header","name":"X-Trust","detail":"must be given once"})"}) {
    CAPTURE(part);
    CHECK(reply.body.find(part) != std::string::npos);
  }
  CHECK(shop.get("/shops/1/items?all=true&limit=5").body.find("all needs no limit") !=
        std::string::npos);
  for (const char* bad : {"limit=", "limit=+1", "limit=%201", "limit=01", "limit=1%00", "limit=0x1",
                          "limit=99999999999999999999", "all=1", "all", "q=%FF"}) {
    CAPTURE(bad);
    CHECK(shop.get(std::string("/shops/1/items?") + bad).status == 422);
  }
}

TEST_CASE("a body as a whole stands beside parameters, and so do members of one") {
  Shop shop;
  CHECK(shop.send("PUT /items/x", R"({"text":"a"})", "If-Version: 3\r\n").body ==
        R"({"text":"a","times":1})");
  CHECK(shop.updated.id == "x");
  CHECK(shop.updated.version == 3);
  const Reply bad = shop.send("PUT /items/x", R"({"text":1})");
  CHECK(bad.status == 422);
  CHECK(bad.body.find(R"({"in":"header","name":"If-Version","detail":"is missing"},)"
                      R"({"in":"body","pointer":"/text","detail":"must be a string"})") !=
        std::string::npos);
  CHECK(shop.send("POST /items/x/name", R"({"name":"n"})").body == "\"x=n\"");
  CHECK(shop.send("POST /items/x/name", R"({"name":""})").status == 422);
  CHECK(shop.get("/time").body == "7");
  CHECK(shop.get("/route").body == "\"/route\"");
}

TEST_CASE("descriptions that don't fit their route are refused at wiring") {
  Simulation s;
  const auto rename = typed([](const Context&, const Rename&) {});
  CHECK_THROWS_WITH_AS(s.server.post("/a/{other}", rename), "http: POST /a/{other} has no {id}",
                       ConfigError);
  CHECK_THROWS_AS(s.server.get("/a/{id}", rename), ConfigError);
  CHECK_THROWS_AS(typed(echo, {.status = 404}), ConfigError);
  CHECK_THROWS_AS(typed(echo, {.limits = {.max_depth = 0}}), ConfigError);
  CHECK_THROWS_AS(typed(echo, {.limits = {.max_depth = 257}}), ConfigError);
  CHECK(s.server.routes().empty());
}

struct Twice {
  int a = 0;
};
void describe(Description<Twice>& d) { d.required("a", &Twice::a).optional("a", &Twice::a); }
struct BadPattern {
  std::string a;
};
void describe(Description<BadPattern>& d) { d.required("a", &BadPattern::a, {.pattern = "("}); }
struct Impossible {
  std::string a;
};
void describe(Description<Impossible>& d) {
  d.required("a", &Impossible::a, {.min_length = 3, .max_length = 2});
}
struct Nested {
  Rename inner;
};
void describe(Description<Nested>& d) { d.required("inner", &Nested::inner); }

TEST_CASE("descriptions that cannot work are refused when they are used") {
  CHECK_THROWS_WITH_AS(typed([](const Context&, const Twice&) {}),
                       "http: the description of Twice names \"a\" twice", ConfigError);
  CHECK_THROWS_AS(typed([](const Context&, const BadPattern&) {}), ConfigError);
  CHECK_THROWS_AS(typed([](const Context&, const Impossible&) {}), ConfigError);
  CHECK_THROWS_AS(typed([](const Context&, const Nested&) {}), ConfigError);
  using Clash = std::variant<int, double>;
  CHECK_THROWS_AS(typed([](const Context&, const Clash&) {}), ConfigError);
}

}  // namespace
}  // namespace aiserve::http
