#include "aiserve/http/middleware.hpp"

#include <string>

#include <doctest/doctest.h>

#include "unit/http/in_process.hpp"

namespace aiserve::http {
namespace {

TEST_CASE("security headers stand in every answer that doesn't say otherwise") {
  InProcess s({.trusted_proxies = {"unix"}});
  s.server.after(security_headers({.strict_transport = std::chrono::hours(1)}));
  s.server.get("/", [](const Context&, const Request&) { return text("x"); });
  s.server.get("/own", [](const Context&, const Request&) {
    return text("x").header("Content-Security-Policy", "default-src 'self'");
  });
  s.sim.start();
  const auto reply = s.client.get("/");
  CHECK(reply.header("X-Content-Type-Options") == "nosniff");
  CHECK(reply.header("X-Frame-Options") == "DENY");
  CHECK(reply.header("Referrer-Policy") == "no-referrer");
  CHECK(reply.header("Content-Security-Policy") == "default-src 'none'; frame-ancestors 'none'");
  CHECK(reply.header("Strict-Transport-Security").empty());
  CHECK(s.client.get("/own").header("Content-Security-Policy") == "default-src 'self'");
  const auto secure = s.client.request("GET", "/", {}, {{"X-Forwarded-Proto", "https"}});
  CHECK(secure.header("Strict-Transport-Security") == "max-age=3600");
}

TEST_CASE("a hook of a group sees the paths under its prefix only") {
  InProcess s;
  s.server.before(under("/v1", [](Context&, const Request&) -> Result<void> {
    return Error(Errc::unauthenticated, "no");
  }));
  for (const char* path : {"/", "/v1", "/v1/pets/{id}", "/v12", "/v2/v1/x", "/docs"}) {
    s.server.get(path, [](const Context&, const Request&) { return text("x"); });
  }
  s.sim.start();
  for (const char* path : {"/v1", "/v1/pets/7", "/%76%31/pets/7"}) {
    CAPTURE(path);
    CHECK(s.client.get(path).status == 401);
  }
  for (const char* path : {"/", "/v12", "/v2/v1/x", "/docs"}) {
    CAPTURE(path);
    CHECK(s.client.get(path).status == 200);
  }
}

TEST_CASE("an answer names its request, and the log has a line of it without its query") {
  InProcess s;
  s.server.after(request_id_header()).after(access_log(s.telemetry.log()));
  s.server.get("/pets/{id}", [](const Context&, const Request&) { return text("four"); });
  s.sim.start();
  const auto reply = s.client.get("/pets/7?token=hush");
  const std::string id(reply.header("X-Request-Id"));
  CHECK_FALSE(id.empty());
  for (const char* part :
       {"\"msg\":\"http: answered\"", "\"method\":\"GET\"", "\"path\":\"/pets/7\"",
        "\"route\":\"/pets/{id}\"", "\"status\":200", "\"bytes\":4"}) {
    CAPTURE(part);
    CHECK(s.log.find(part) != std::string::npos);
  }
  CHECK(s.log.find(id) != std::string::npos);
  CHECK(s.log.find("hush") == std::string::npos);
}

}  // namespace
}  // namespace aiserve::http
