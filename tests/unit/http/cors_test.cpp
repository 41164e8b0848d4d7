#include "aiserve/http/cors.hpp"

#include <string>

#include <doctest/doctest.h>

#include "unit/http/in_process.hpp"

namespace aiserve::http {
namespace {

struct Site : InProcess {
  explicit Site(const CorsOptions& options) {
    server.cors(options);
    server.before([](Context&, const Request& request) -> Result<void> {
      if (request.path() == "/secret") return Error(Errc::unauthenticated, "no");
      return success();
    });
    server.get("/a", [](const Context&, const Request&) { return text("a"); });
    server.put("/a", [](const Context&, const Request&) { return text("a"); });
    server.get("/secret", [](const Context&, const Request&) { return text("s"); });
    sim.start();
  }
  TestClient::Reply ask(const std::string& method, const std::string& path,
                        const std::string& origin, TestClient::Fields fields = {}) {
    if (!origin.empty()) fields.emplace_back("Origin", origin);
    return client.request(method, path, {}, fields);
  }
  std::string allowed(const std::string& origin) {
    return std::string(ask("GET", "/a", origin).header("Access-Control-Allow-Origin"));
  }
};

const CorsOptions kTwo{.origins = {"https://app.example", "http://localhost:3000"},
                       .credentials = true,
                       .headers = {"Authorization", "Content-Type"},
                       .exposed = {"X-Request-Id"}};

TEST_CASE("the origins of the list are let in, and nothing that looks like them") {
  Site site(kTwo);
  CHECK(site.allowed("https://app.example") == "https://app.example");
  CHECK(site.allowed("http://localhost:3000") == "http://localhost:3000");
  for (const char* origin :
       {"null", "https://app.example.evil.org", "https://evil-app.example", "http://app.example",
        "https://app.example:443", "https://app.example/", "https://APP.example",
        "https://app.exampl", "https://sub.app.example", "http://localhost",
        "http://localhost:30000", "*", "https://app.example https://evil.example",
        "https://app.example\\@evil.example"}) {
    CAPTURE(origin);
    const auto reply = site.ask("GET", "/a", origin);
    CHECK(reply.status == 200);
    CHECK(reply.header("Access-Control-Allow-Origin").empty());
    CHECK(reply.header("Access-Control-Allow-Credentials").empty());
    CHECK(reply.header("Vary") == "Origin");
  }
  CHECK(site.ask("GET", "/a", "").header("Vary") == "Origin");
}

TEST_CASE("refusals and unknown paths can be read, too") {
  Site site(kTwo);
  for (const char* path : {"/secret", "/nobody"}) {
    CAPTURE(path);
    const auto reply = site.ask("GET", path, "https://app.example");
    CHECK(reply.status >= 400);
    CHECK(reply.header("Access-Control-Allow-Origin") == "https://app.example");
    CHECK(reply.header("Access-Control-Allow-Credentials") == "true");
    CHECK(reply.header("Access-Control-Expose-Headers") == "X-Request-Id");
  }
}

TEST_CASE("a preflight names the methods of its path, before anybody has to sign in") {
  Site site(kTwo);
  const TestClient::Fields asks{{"Access-Control-Request-Method", "PUT"}};
  const auto reply = site.ask("OPTIONS", "/a", "https://app.example", asks);
  CHECK(reply.status == 204);
  CHECK(reply.header("Access-Control-Allow-Methods") == "GET, HEAD, PUT, OPTIONS");
  CHECK(reply.header("Access-Control-Allow-Headers") == "Authorization, Content-Type");
  CHECK(reply.header("Access-Control-Max-Age") == "600");
  CHECK(site.ask("OPTIONS", "/secret", "https://app.example", asks).status == 204);
  CHECK(site.ask("OPTIONS", "/a", "https://evil.example", asks)
            .header("Access-Control-Allow-Methods")
            .empty());
  CHECK(site.ask("OPTIONS", "/nobody", "https://app.example", asks)
            .header("Access-Control-Allow-Methods")
            .empty());
}

TEST_CASE("everybody means everybody, without credentials and without Vary") {
  Site site({.origins = {"*"}});
  const auto reply = site.ask("GET", "/a", "https://whoever.example");
  CHECK(reply.header("Access-Control-Allow-Origin") == "*");
  CHECK(reply.header("Access-Control-Allow-Credentials").empty());
  CHECK(reply.header("Vary").empty());
}

TEST_CASE("what is no origin cannot be allowed") {
  InProcess s;
  for (const char* origin : {"", "null", "app.example", "https://", "https://app.example/",
                             "https://App.example", "https://*.example", "https://a b"}) {
    CAPTURE(origin);
    CHECK_THROWS_AS(s.server.cors({.origins = {origin}}), ConfigError);
  }
  CHECK_THROWS_AS(s.server.cors({}), ConfigError);
  CHECK_THROWS_AS(s.server.cors({.origins = {"*"}, .credentials = true}), ConfigError);
  CHECK_THROWS_AS(s.server.cors({.origins = {"*", "https://a.example"}}), ConfigError);
}

}  // namespace
}  // namespace aiserve::http
