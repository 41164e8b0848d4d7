#include "http/router.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "aiserve/core/error.hpp"
#include "http/route.hpp"

namespace aiserve::http::detail {
namespace {

struct Fixture {
  Router router;
  Metrics registry;
  std::vector<std::unique_ptr<Route>> routes;

  std::vector<std::string> add(Method method, const std::string& pattern) {
    routes.push_back(std::make_unique<Route>(registry, "test", method, pattern));
    return router.add(method, pattern, *routes.back());
  }
  // "label(param,param)", or the Allow text, or "404"
  std::string find(Method method, std::string_view path) const {
    const RouteMatch match = router.find(method, path);
    if (match.route == nullptr) return match.allowed == 0 ? "404" : allow_text(match.allowed);
    std::string text = std::string(name(match.route->method)) + " " + match.route->pattern;
    for (std::size_t i = 0; i < match.param_count; ++i) {
      text += " | " + std::string(match.params[i]);
    }
    return text;
  }
};

TEST_CASE("literal paths are matched whole") {
  Fixture f;
  f.add(Method::get, "/");
  f.add(Method::get, "/v1/info");
  f.add(Method::get, "/v1/info/");
  CHECK(f.find(Method::get, "/") == "GET /");
  CHECK(f.find(Method::get, "/v1/info") == "GET /v1/info");
  CHECK(f.find(Method::get, "/v1/info/") == "GET /v1/info/");
  for (const char* path : {"", "/v1", "/v1/", "/v1/inf", "/v1/info/x", "/V1/info", "*"}) {
    CHECK(f.find(Method::get, path) == "404");
  }
}

TEST_CASE("parameters take one segment, int only numbers, rest everything") {
  Fixture f;
  CHECK(f.add(Method::get, "/jobs/{id:int}/log/{part}") == std::vector<std::string>{"id", "part"});
  f.add(Method::get, "/files/{path...}");
  f.add(Method::get, "/hello/{name}");
  CHECK(f.find(Method::get, "/jobs/12/log/a") == "GET /jobs/{id:int}/log/{part} | 12 | a");
  CHECK(f.find(Method::get, "/jobs/-5/log/a") == "GET /jobs/{id:int}/log/{part} | -5 | a");
  for (const char* path :
       {"/jobs/x/log/a", "/jobs/1x/log/a", "/jobs//log/a", "/jobs/9223372036854775808/log/a",
        "/jobs/12/log/", "/hello/", "/hello", "/hello/a/b", "/files/", "/files"}) {
    CHECK(f.find(Method::get, path) == "404");
  }
  CHECK(f.find(Method::get, "/files/a/b/c") == "GET /files/{path...} | a/b/c");
  CHECK(f.find(Method::get, "/files/a") == "GET /files/{path...} | a");
}

TEST_CASE("the more specific segment wins, and what doesn't fit further on falls back") {
  Fixture f;
  f.add(Method::get, "/a/{x...}");
  f.add(Method::get, "/a/{x}");
  f.add(Method::get, "/a/{x:int}");
  f.add(Method::get, "/a/me");
  f.add(Method::get, "/a/me/b");
  f.add(Method::get, "/a/{x}/c");
  CHECK(f.find(Method::get, "/a/me") == "GET /a/me");
  CHECK(f.find(Method::get, "/a/7") == "GET /a/{x:int} | 7");
  CHECK(f.find(Method::get, "/a/you") == "GET /a/{x} | you");
  CHECK(f.find(Method::get, "/a/me/c") == "GET /a/{x}/c | me");
  CHECK(f.find(Method::get, "/a/me/d") == "GET /a/{x...} | me/d");
  CHECK(f.find(Method::get, "/a/you/c/d") == "GET /a/{x...} | you/c/d");
}

TEST_CASE("methods that a path doesn't answer to are told apart from unknown paths") {
  Fixture f;
  f.add(Method::get, "/x");
  f.add(Method::post, "/x");
  f.add(Method::del, "/{name}");
  CHECK(f.find(Method::head, "/x") == "GET /x");
  CHECK(f.find(Method::del, "/x") == "DELETE /{name} | x");
  CHECK(f.find(Method::put, "/x") == "GET, HEAD, POST, DELETE, OPTIONS");
  CHECK(f.find(Method::get, "/y") == "DELETE, OPTIONS");
  CHECK(allow_text(f.router.all_methods()) == "GET, HEAD, POST, DELETE, OPTIONS");
}

TEST_CASE("patterns that cannot work are refused at wiring") {
  Fixture f;
  f.add(Method::get, "/a/{x}");
  for (const char* bad :
       {"", "a", "//", "/a//b", "/{", "/}", "/{}", "/x{y}", "/{x}y", "/{a b}", "/{x}/{x}",
        "/{r...}/x", "/..", "/./a", "/a/{x}", "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}"}) {
    CHECK_THROWS_AS(f.add(Method::get, bad), ConfigError);
  }
}

}  // namespace
}  // namespace aiserve::http::detail
