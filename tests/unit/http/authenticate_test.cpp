#include "aiserve/http/authenticate.hpp"

#include <string>

#include <doctest/doctest.h>

#include "aiserve/http/middleware.hpp"
#include "aiserve/http/status.hpp"
#include "aiserve/http/websocket.hpp"
#include "unit/http/fake_verifier.hpp"
#include "unit/http/in_process.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;
using Fields = TestClient::Fields;

Fields bearer(const std::string& token) { return {{"Authorization", "Bearer " + token}}; }

// Answers with tenant and subject.
Response who(const Context& ctx, const Request&) {
  return text(ctx.tenant().id().value() + "/" + ctx.principal().subject());
}

struct Guarded : InProcess {
  explicit Guarded(AuthenticateOptions options = {}) {
    tokens.takes("good", {.subject = "ada", .tenant = TenantId("acme"), .scopes = {"infer"}});
    tokens.takes("slow-good", {.subject = "ada", .tenant = TenantId("acme")});
    server.before(authenticate(tokens, options));
    server.get("/who", who).post("/who", who);
  }
  TestClient::Reply get(const std::string& target, const Fields& fields = {}) {
    return client.request("GET", target, {}, fields);
  }
  static std::string challenge(const TestClient::Reply& reply) {
    return std::string(reply.header("WWW-Authenticate"));
  }

  FakeVerifier tokens;
};

TEST_CASE("a good token says who asks, a wrong one is 401 with the reason") {
  Guarded s;
  s.sim.start();
  CHECK(s.get("/who", bearer("good")).body == "acme/ada");
  CHECK(s.get("/who", {{"authorization", "bEaReR   good"}}).body == "acme/ada");
  const auto wrong = s.get("/who", bearer("bad"));
  CHECK(wrong.status == 401);
  CHECK(Guarded::challenge(wrong) ==
        R"(Bearer realm="api", error="invalid_token", error_description="the token is not known")");
  CHECK(s.get("/none", bearer("bad")).status == 404);
}

TEST_CASE("without credentials the challenge names no error") {
  Guarded s({.realm = "classifier"});
  s.sim.start();
  for (const Fields& fields :
       {Fields{}, Fields{{"Authorization", "Basic YTpi"}}, Fields{{"Authorization", ""}},
        Fields{{"Authorization", "Bear good"}}}) {
    const auto reply = s.get("/who", fields);
    CHECK(reply.status == 401);
    CHECK(Guarded::challenge(reply) == R"(Bearer realm="classifier")");
  }
  CHECK(s.tokens.asked == 0);
}

TEST_CASE("credentials that are malformed or there twice are refused unread") {
  Guarded s;
  s.sim.start();
  for (const Fields& fields :
       {Fields{{"Authorization", "Bearer"}}, Fields{{"Authorization", "Bearer "}},
        Fields{{"Authorization", "Bearer good, Bearer good"}},
        Fields{{"Authorization", "Bearer good x"}}, Fields{{"Authorization", "Bearer go\"od"}},
        Fields{{"Authorization", "Bearer good"}, {"Authorization", "Bearer good"}},
        Fields{{"Authorization", "Bearer good"}, {"authorization", "Basic YTpi"}}}) {
    const auto reply = s.get("/who", fields);
    CAPTURE(fields.front().second);
    CHECK(reply.status == 400);
    CHECK(Guarded::challenge(reply) == R"(Bearer realm="api", error="invalid_request")");
  }
  CHECK(s.tokens.asked == 0);
}

TEST_CASE("a token in the address is refused unless that is wanted") {
  Guarded strict;
  strict.sim.start();
  CHECK(strict.get("/who?access_token=good").status == 400);
  CHECK(strict.get("/who?a=b&access%5Ftoken=good", bearer("good")).status == 400);
  CHECK(strict.get("/who?a=b", bearer("good")).status == 200);
  Guarded lenient({.query_token = true});
  lenient.sim.start();
  CHECK(lenient.get("/who?access_token=good").body == "acme/ada");
  CHECK(lenient.get("/who?access_token=bad").status == 401);
  CHECK(lenient.get("/who?access_token=").status == 400);
  CHECK(lenient.get("/who?access_token=good", bearer("good")).status == 400);
}

TEST_CASE("scopes are required per group: 403 says which, nobody is 401") {
  Guarded s({.required = false});
  s.server.before(under("/models", require_scope("train")));
  s.server.before(under("/infer", require_scope("infer")));
  s.server.get("/models", who).get("/infer", who);
  s.sim.start();
  CHECK(s.get("/who").body == "/");
  CHECK(s.get("/infer", bearer("good")).status == 200);
  const auto missing = s.get("/models", bearer("good"));
  CHECK(missing.status == 403);
  CHECK(Guarded::challenge(missing) == R"(Bearer error="insufficient_scope", scope="train")");
  CHECK(s.get("/models").status == 401);
  CHECK(Guarded::challenge(s.get("/models")) == R"(Bearer scope="train")");
  CHECK(s.get("/who", bearer("bad")).status == 401);
}

TEST_CASE("keys come in a field of their own, beside tokens or alone") {
  InProcess s;
  FakeVerifier keys;
  FakeVerifier tokens;
  keys.takes("key", {.subject = "machine", .tenant = TenantId("acme")});
  tokens.takes("good", {.subject = "ada", .tenant = TenantId("acme")});
  s.server.before(authenticate(keys, {.field = "X-API-Key", .required = false}));
  s.server.before(authenticate(tokens));
  s.server.get("/who", who);
  s.sim.start();
  const auto ask = [&](const Fields& fields) {
    return s.client.request("GET", "/who", {}, fields);
  };
  CHECK(ask({{"x-api-key", "key"}}).body == "acme/machine");
  CHECK(ask(bearer("good")).body == "acme/ada");
  CHECK(ask({}).status == 401);
  CHECK(ask({{"X-API-Key", "other"}}).status == 401);
  CHECK(ask({{"X-API-Key", "other"}}).header("WWW-Authenticate").starts_with("ApiKey"));
  CHECK(ask({{"X-API-Key", "key"}, {"X-API-Key", "key"}}).status == 400);
  CHECK(ask({{"X-API-Key", "key"}, {"Authorization", "Bearer good"}}).status == 400);
}

TEST_CASE("the directory says what the tenant is, and who is none") {
  StaticTenantDirectory tenants({{.id = TenantId("acme"), .plan = "pro"}});
  Guarded s({.tenants = &tenants});
  s.server.get("/plan",
               [](const Context& ctx, const Request&) { return text(ctx.tenant().plan()); });
  s.sim.start();
  CHECK(s.get("/plan", bearer("good")).body == "pro");
  REQUIRE(tenants.remove(TenantId("acme")));
  CHECK(s.get("/plan", bearer("good")).status == 403);
}

TEST_CASE("while nobody can tell, the answer is 503 and not 401") {
  Guarded s;
  s.tokens.fail_with(Error(Errc::unavailable, "no keys").retry_after(1s));
  s.sim.start();
  const auto reply = s.get("/who", bearer("good"));
  CHECK(reply.status == 503);
  CHECK(reply.header("Retry-After") == "1");
  CHECK(reply.header("WWW-Authenticate").empty());
}

TEST_CASE("a verifier that has to ask holds up its own request only") {
  Guarded s;
  int behind = 0;
  s.server.before([&behind](const Context& ctx, const Request&) {
    if (!ctx.principal().is_nobody()) ++behind;
  });
  s.server.post("/echo", [](const Context&, const Request& request) {
    return text(std::string(request.text()));
  });
  s.sim.start();
  auto slow = s.client.start("GET", "/who", {}, bearer("slow-good"));
  auto body = s.client.start("POST", "/echo", "hello", bearer("slow-good"));
  auto wrong = s.client.start("GET", "/who", {}, bearer("slow-bad"));
  CHECK(slow.reply().status == 0);
  CHECK(s.get("/who", bearer("good")).body == "acme/ada");
  CHECK(behind == 1);
  s.sim.advance(1s);
  CHECK(slow.reply().body == "acme/ada");
  CHECK(body.reply().body == "hello");
  CHECK(wrong.reply().status == 401);
  CHECK(behind == 3);
  CHECK(s.server.in_flight() == 0);
}

TEST_CASE("what waits for a verifier takes no place of its route") {
  Guarded s;
  const auto handler = [](const Context& ctx, const Request& request) -> Async<Response> {
    co_return who(ctx, request);
  };
  s.server.get("/one", handler, {.max_concurrent = 1});
  s.sim.start();
  auto slow = s.client.start("GET", "/one", {}, bearer("slow-good"));
  auto wrong = s.client.start("GET", "/one", {}, bearer("slow-bad"));
  CHECK(s.server.in_flight() == 2);
  CHECK(s.get("/one", bearer("good")).body == "acme/ada");
  s.sim.advance(1s);
  CHECK(slow.reply().body == "acme/ada");
  CHECK(wrong.reply().status == 401);
}

TEST_CASE("a client that goes, a deadline and a drain end the waiting for a verifier") {
  Guarded s;
  s.server.get("/short", who, {.timeout = 500ms});
  s.sim.start();
  auto late = s.client.start("GET", "/short", {}, bearer("slow-good"));
  {
    auto gone = s.client.start("GET", "/who", {}, bearer("slow-good"));
    CHECK(s.server.in_flight() == 2);
  }
  s.sim.run_until_idle();
  CHECK(s.server.in_flight() == 1);
  s.sim.advance(750ms);
  CHECK(late.reply().status == 504);
  auto drained = s.client.start("GET", "/who", {}, bearer("slow-good"));
  s.sim.shutdown();
  CHECK(s.server.in_flight() == 0);
}

TEST_CASE("all kinds of handlers run behind a verifier that has to ask") {
  Guarded s;
  s.server.get("/coroutine", [](const Context& ctx, const Request& request) -> Async<Response> {
    if (!co_await sleep(ctx, 1s)) co_return Error();
    co_return who(ctx, request);
  });
  s.server.post("/reader",
                [](const Context& ctx, const Request&, BodyReader& body) -> Async<Response> {
                  std::string all;
                  for (;;) {
                    const Result<Bytes> piece = co_await body.read();
                    if (!piece) co_return piece.error();
                    if (piece->empty()) break;
                    all += piece->text();
                  }
                  co_return text(ctx.principal().subject() + " " + all);
                });
  s.server.events("/events",
                  [](const Context& ctx, const Request&, EventStream stream) -> Async<void> {
                    const Event event{.data = ctx.principal().subject()};
                    (void)stream.send(event);
                    co_return success();
                  });
  int opened = 0;
  s.server.websocket("/socket", [&opened](const Context&, WebSocket& socket) -> Async<void> {
    ++opened;
    (void)co_await socket.receive();
    co_return success();
  });
  s.sim.start();
  auto coroutine = s.client.start("GET", "/coroutine", {}, bearer("slow-good"));
  auto reader = s.client.start_stream("POST", "/reader", bearer("slow-good"));
  reader.send("one ");
  auto events = s.client.start("GET", "/events", {}, bearer("slow-good"));
  auto socket = s.client.raw(
      "GET /socket HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer slow-good\r\nUpgrade: websocket\r\n"
      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  auto refused = s.client.raw(
      "GET /socket HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer slow-bad\r\nUpgrade: websocket\r\n"
      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  s.sim.run_until_idle();
  CHECK(opened == 0);
  s.sim.advance(1s);
  reader.send("two");
  reader.finish();
  CHECK(reader.reply().body == "ada one two");
  CHECK(events.next_event().value().data == "ada");
  CHECK(opened == 1);
  CHECK(refused.reply().status == 401);
  s.sim.advance(1s);
  CHECK(coroutine.reply().body == "acme/ada");
}

TEST_CASE("event streams and sockets end with the token, requests are finished") {
  Guarded s;
  const WallTime soon = s.sim.clock().wall_now() + 10s;
  s.tokens.takes("short", {.subject = "ada", .tenant = TenantId("acme"), .expires = soon});
  s.server.get("/slow", [](const Context& ctx, const Request& request) -> Async<Response> {
    if (!co_await sleep(ctx, 15s)) co_return Error();
    co_return who(ctx, request);
  });
  CancelReason stream_end = CancelReason::none;
  s.server.events("/events",
                  [&](const Context& ctx, const Request&, EventStream stream) -> Async<void> {
                    const Event event{.data = "hello"};
                    (void)stream.send(event);
                    (void)co_await sleep(ctx, 1h);
                    stream_end = ctx.reason();
                    co_return success();
                  });
  s.server.websocket("/socket", [](const Context&, WebSocket& socket) -> Async<void> {
    while (co_await socket.receive()) {
    }
    co_return success();
  });
  s.server.websocket("/callback", [](WebSocket&, const MessageView&) {});
  s.sim.start();
  const auto upgrade = [&](const std::string& path) {
    return s.client.raw("GET " + path +
                        " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer short\r\n"
                        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  };
  auto request = s.client.start("GET", "/slow", {}, bearer("short"));
  auto events = s.client.start("GET", "/events", {}, bearer("short"));
  auto socket = upgrade("/socket");
  auto callback = upgrade("/callback");
  CHECK(events.next_event().has_value());
  s.sim.advance(9s);
  CHECK_FALSE(events.closed());
  CHECK_FALSE(socket.closed());
  s.sim.advance(2s);
  CHECK(events.reply().status == 200);
  s.sim.advance(5s);
  CHECK(request.reply().body == "acme/ada");
  s.sim.advance(2min);
  const std::string goodbye = std::string("\x03\xf0") + "the session has expired";
  for (TestClient::Call* call : {&socket, &callback}) {
    CHECK(call->closed());
    CHECK(call->reply().status == 101);
    CHECK(call->reply().body.find(goodbye) != std::string::npos);
  }
  CHECK(s.server.connections() == 0);
  CHECK(s.server.in_flight() == 0);
  CHECK(s.log.find("failed") == std::string::npos);
}

TEST_CASE("a hook of the host's own may wait as well") {
  InProcess s;
  s.server.before([](Context& ctx, const Request& request) -> Async<void> {
    if (!co_await sleep(ctx, 1s)) co_return Error();
    if (!request.has_header("X-Key")) co_return Error(Errc::permission_denied, "no key");
    ctx = ctx.with_tenant(Tenant({.id = TenantId("late")}));
    co_return success();
  });
  s.server.get("/who", who);
  s.sim.start();
  auto good = s.client.start("GET", "/who", {}, {{"X-Key", "1"}});
  auto bad = s.client.start("GET", "/who");
  s.sim.advance(1s);
  CHECK(good.reply().body == "late/");
  CHECK(bad.reply().status == 403);
}

TEST_CASE("what a hook that waits makes of the Context is seen when it has ended, not before") {
  InProcess s;
  Hooks renaming;
  renaming.before([](Context& ctx, const Request&) -> Async<void> {
    ctx = Context({.request_id = "renamed"});
    co_return co_await sleep(ctx, 1s);
  });
  const auto slow = [](const Context& ctx, const Request&) -> Async<Response> {
    if (!co_await sleep(ctx, 1s)) co_return Error();
    co_return text(ctx.request_id());
  };
  s.server.get("/slow", slow, {.hooks = renaming}).get("/status", status(s.sim.runtime()));
  s.sim.start();
  auto call = s.client.start("GET", "/slow");
  CHECK(s.server.in_flight() == 1);
  CHECK(s.client.get("/status").body.find("renamed") == std::string::npos);
  s.sim.advance(1s);
  CHECK(s.client.get("/status").body.find("renamed") != std::string::npos);
  s.sim.advance(1s);
  CHECK(call.reply().body == "renamed");
}

TEST_CASE("what cannot be wired is named") {
  FakeVerifier tokens;
  CHECK_THROWS_AS((void)authenticate(tokens, {.field = ""}), ConfigError);
  CHECK_THROWS_AS((void)authenticate(tokens, {.realm = "a\"b"}), ConfigError);
  CHECK_THROWS_AS((void)require_scope(""), ConfigError);
  CHECK_THROWS_AS((void)require_scope("a\\b"), ConfigError);
}

}  // namespace
}  // namespace aiserve::http
