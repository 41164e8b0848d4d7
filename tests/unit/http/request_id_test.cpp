#include "http/request_id.hpp"

#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "aiserve/http/middleware.hpp"
#include "unit/http/in_process.hpp"

namespace aiserve::http {
namespace {

using detail::is_request_id;
using Fields = std::vector<std::pair<std::string, std::string>>;

struct Named : InProcess {
  explicit Named(ServerOptions options) : InProcess(std::move(options)) {
    server.after(request_id_header("Answered-Id"));
    server.get("/", [](const Context& ctx, const Request&) { return text(ctx.request_id()); });
    server.get("/late", [](const Context& ctx, const Request&) -> Async<Response> {
      co_return text(ctx.child().request_id());
    });
    sim.start();
  }
  std::string id(const Fields& fields, const char* path = "/") {
    return client.request("GET", path, {}, fields).body;
  }
};

ServerOptions behind_proxy() {
  return {.trusted_proxies = {"unix"}, .request_id_field = "X-Request-Id"};
}

TEST_CASE("an id is 1 to 128 characters of those that ids are made of") {
  for (const std::string& text :
       {std::string("7"), std::string("018f3f4e-9d2c-7a61-b4f5-0c7d5c1f2a3b"),
        std::string("Root=1-67891233-abcdef012345678912345678"), std::string(128, 'x')}) {
    CAPTURE(text);
    CHECK(is_request_id(text));
  }
  for (const std::string& text :
       {std::string(), std::string(129, 'x'), std::string("a b"), std::string("a,b"),
        std::string("a\"b"), std::string("a\\b"), std::string("<a>"), std::string("a\tb"),
        std::string("\xc3\xa4"), std::string("a\0b", 3), std::string("%0d%0a"),
        std::string("${x}")}) {
    CAPTURE(text);
    CHECK_FALSE(is_request_id(text));
  }
}

TEST_CASE("a trusted proxy names the request, its children and its answer") {
  Named s(behind_proxy());
  CHECK(s.id({{"X-Request-Id", "edge-1"}}) == "edge-1");
  CHECK(s.id({{"x-request-id", "edge-2"}}, "/late") == "edge-2");
  const auto reply = s.client.request("GET", "/", {}, {{"X-Request-Id", "edge-3"}});
  CHECK(reply.header("Answered-Id") == "edge-3");
}

TEST_CASE("what has no route is a problem under the proxy's id, too") {
  Named s(behind_proxy());
  const auto reply = s.client.request("GET", "/nowhere", {}, {{"X-Request-Id", "edge-4"}});
  CHECK(reply.status == 404);
  CHECK(reply.body.find(R"("request_id":"edge-4")") != std::string::npos);
}

TEST_CASE("an id that is none, or there twice, gives way to one of our own") {
  Named s(behind_proxy());
  const std::string own = s.id({});
  CHECK(own.size() > 16);
  for (const Fields& fields : {Fields{{"X-Request-Id", ""}}, Fields{{"X-Request-Id", "a b"}},
                               Fields{{"X-Request-Id", std::string(129, 'x')}},
                               Fields{{"X-Request-Id", "one"}, {"X-Request-Id", "two"}},
                               Fields{{"X-Request-Id", "bad id"}, {"X-Request-Id", "good"}},
                               Fields{{"X-Request-Id", "good"}, {"X-Request-Id", ""}}}) {
    const std::string id = s.id(fields);
    CHECK(id.size() == own.size());
    CHECK(id != own);
  }
}

TEST_CASE("a peer that is not trusted names nothing, nor does another field") {
  Named strangers({.trusted_proxies = {"10.0.0.0/8"}, .request_id_field = "X-Request-Id"});
  CHECK(strangers.id({{"X-Request-Id", "mine"}}) != "mine");
  Named others({.trusted_proxies = {"unix"}, .request_id_field = "X-Amzn-Trace-Id"});
  CHECK(others.id({{"X-Request-Id", "mine"}}) != "mine");
  Named unasked({.trusted_proxies = {"unix"}});
  CHECK(unasked.id({{"X-Request-Id", "mine"}}) != "mine");
}

TEST_CASE("a field for ids that nobody may write, or that is none, is refused") {
  const auto refused = [](ServerOptions options) -> std::string {
    try {
      const InProcess s(std::move(options));
      return "";
    } catch (const ConfigError& error) {
      return error.what();
    }
  };
  CHECK(refused({.request_id_field = "X-Request-Id"}) ==
        "http: request_id_field needs trusted_proxies");
  CHECK(refused({.trusted_proxies = {"unix"}, .request_id_field = "X Id"}) ==
        "http: request_id_field is no name of a header field");
}

}  // namespace
}  // namespace aiserve::http
