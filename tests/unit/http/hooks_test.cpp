#include "aiserve/http/hooks.hpp"

#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "aiserve/http/typed.hpp"
#include "unit/http/in_process.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;

// Hooks that tell when they ran.
struct Steps {
  auto before(std::string name) {
    return [this, name = std::move(name)](Context&, const Request&) { list.push_back(name); };
  }
  auto after(std::string name) {
    return [this, name = std::move(name)](const Context&, const Request&, Response&) {
      list.push_back(name);
    };
  }
  auto around(std::string name) {
    return [this, name = std::move(name)](const Context& ctx, const Request& request,
                                          const Next& next) -> Async<Response> {
      list.push_back(name + " in");
      Result<Response> result = co_await next(ctx, request);
      list.push_back(name + " out");
      co_return result;
    };
  }

  std::vector<std::string> list;
};

Async<Response> refuse(const Context&, const Request&, const Next&) {
  co_return Error(Errc::permission_denied, "not today");
}

TEST_CASE("hooks run from the outside in and back, those of the server outside the route's") {
  InProcess s;
  Steps steps;
  s.server.before(steps.before("b1")).around(steps.around("a1")).after(steps.after("z1"));
  s.server.before(steps.before("b2")).around(steps.around("a2")).after(steps.after("z2"));
  Hooks own;
  own.before(steps.before("rb")).around(steps.around("ra")).after(steps.after("rz"));
  s.server.get("/",
               [&](const Context&, const Request&) {
                 steps.list.emplace_back("handler");
                 return text("x");
               },
               {.hooks = own});
  s.sim.start();
  CHECK(s.client.get("/").body == "x");
  const std::vector<std::string> wanted{"b1",    "b2",      "rb",     "a1 in",  "a2 in",
                                        "ra in", "handler", "ra out", "a2 out", "a1 out",
                                        "rz",    "z1",      "z2"};
  CHECK(steps.list == wanted);
}

TEST_CASE("a route's hooks are of that route only") {
  InProcess s;
  Hooks closed;
  closed.around(refuse);
  const auto handler = [](const Context&, const Request&) { return text("x"); };
  s.server.get("/closed", handler, {.hooks = closed}).get("/open", handler);
  Hooks barred;
  barred.before([](Context&, const Request&) -> Result<void> {
    return Error(Errc::unauthenticated, "who are you");
  });
  s.server.get("/barred", handler, {.hooks = barred});
  s.sim.start();
  CHECK(s.client.get("/closed").status == 403);
  CHECK(s.client.get("/barred").status == 401);
  CHECK(s.client.get("/open").status == 200);
}

TEST_CASE("an around hook goes around plain, coroutine and typed handlers") {
  InProcess s;
  s.server.around(
      [](const Context& ctx, const Request& request, const Next& next) -> Async<Response> {
        Result<Response> result = co_await next(ctx, request);
        if (result.ok()) result->header("X-Around", "yes");
        co_return result;
      });
  s.server.get("/plain", [](const Context&, const Request&) { return text("x"); })
      .get("/coroutine",
           [](const Context& ctx, const Request&) -> Async<Response> {
             const Result<void> slept = co_await sleep(ctx, 1s);
             if (!slept) co_return slept.error();
             co_return text("x");
           })
      .post("/typed", typed([](const Context&, int n) { return n + 1; }));
  s.sim.start();
  CHECK(s.client.get("/plain").header("X-Around") == "yes");
  CHECK(s.client.post("/typed", "1").header("X-Around") == "yes");
  auto call = s.client.start("GET", "/coroutine");
  s.sim.advance(1s);
  CHECK(call.reply().header("X-Around") == "yes");
}

TEST_CASE("what a handler throws is an Error to the hooks around it") {
  InProcess s;
  std::vector<Errc> seen;
  s.server.around(
      [&](const Context& ctx, const Request& request, const Next& next) -> Async<Response> {
        Result<Response> result = co_await next(ctx, request);
        if (!result.ok()) seen.push_back(result.error().code());
        co_return result;
      });
  s.server
      .get("/known",
           [](const Context&, const Request&) -> Response {
             throw ResultError(Error(Errc::not_found, "none"));
           })
      .get("/unknown", [](const Context&, const Request&) -> Async<Response> {
        throw std::runtime_error("broken");
        co_return text("x");
      });
  s.sim.start();
  CHECK(s.client.get("/known").status == 404);
  CHECK(s.client.get("/unknown").status == 500);
  CHECK(seen == std::vector<Errc>{Errc::not_found, Errc::internal});
  CHECK(s.log.find("broken") != std::string::npos);
}

TEST_CASE("an around hook that throws is a 500, and the next request is served") {
  InProcess s;
  s.server.around([](const Context& ctx, const Request& request, const Next& next) {
    if (request.path() == "/bad") throw std::runtime_error("bad hook");
    return next(ctx, request);
  });
  const auto handler = [](const Context&, const Request&) { return text("x"); };
  s.server.get("/bad", handler).get("/good", handler);
  s.sim.start();
  CHECK(s.client.get("/bad").status == 500);
  CHECK(s.client.get("/good").status == 200);
}

TEST_CASE("an around hook may wait, and give the handler a Context of its own") {
  InProcess s;
  s.server.around(
      [](const Context& ctx, const Request& request, const Next& next) -> Async<Response> {
        const Result<void> slept = co_await sleep(ctx, 1s);
        if (!slept) co_return slept.error();
        const Deadline soon = Deadline::after(request.clock().now(), 2s);
        const Context shorter = ctx.with_deadline(soon);
        co_return co_await next(shorter, request);
      });
  s.server.get("/", [](const Context& ctx, const Request&) -> Async<Response> {
    const Result<void> slept = co_await sleep(ctx, 10s);
    if (!slept) co_return slept.error();
    co_return text("x");
  });
  s.sim.start();
  auto call = s.client.start("GET", "/");
  s.sim.advance(2s);
  CHECK(call.reply().status == 0);
  s.sim.advance(1s);
  CHECK(call.reply().status == 504);
}

TEST_CASE("around hooks of a server pass streams by, those of a route that streams are refused") {
  InProcess s;
  s.server.around(refuse);
  const auto events = [](const Context&, const Request&, EventStream stream) -> Async<void> {
    (void)stream.send({.data = "x"});
    co_return success();
  };
  const auto upload = [](const Context&, const Request&, BodyReader&) -> Async<Response> {
    co_return text("read");
  };
  s.server.events("/events", events).post("/upload", upload);
  Hooks own;
  own.around(refuse);
  CHECK_THROWS_AS(s.server.put("/upload", upload, {.hooks = own}), ConfigError);
  s.sim.start();
  CHECK(s.client.get("/events").status == 200);
  CHECK(s.client.post("/upload", "x").body == "read");
}

TEST_CASE("no handler sends events into an answer that an after hook has put in their place") {
  for (const bool waits : {false, true}) {
    for (const std::string how : {"throws", "unsendable", "replaced", "bodiless"}) {
      CAPTURE(waits);
      CAPTURE(how);
      InProcess s({.max_requests = 1});
      if (waits) {
        s.server.before(
            [](Context& ctx, const Request&) -> Async<void> { co_return co_await sleep(ctx, 1s); });
      }
      s.server.after([](const Context&, const Request& request, Response& response) {
        const std::string_view way = request.header("X-How");
        if (way == "throws") throw std::runtime_error("bad hook");
        if (way == "unsendable") response.header("X-Bad", "a\r\nb");
        if (way == "replaced") response = text("another");
        if (way == "bodiless") response.status(204);
      });
      int started = 0;
      s.server.events("/events",
                      [&](const Context& ctx, const Request&, EventStream) -> Async<void> {
                        ++started;
                        co_return co_await sleep(ctx, 1h);
                      });
      s.sim.start();
      auto call = s.client.start("GET", "/events", {}, {{"X-How", how}});
      s.sim.advance(1s);
      CHECK(call.reply().status == (how == "replaced" ? 200 : how == "bodiless" ? 204 : 500));
      CHECK(started == 0);
      CHECK(s.server.in_flight() == 0);
      auto next = s.client.start("GET", "/events");
      s.sim.advance(1s);
      CHECK(next.reply().status == 200);
      CHECK(started == 1);
    }
  }
}

TEST_CASE("hooks of every kind can be those of a group") {
  InProcess s;
  Steps steps;
  s.server.before(under("/v1", steps.before("before")))
      .around(under("/v1", steps.around("around")))
      .after(under("/v1/", steps.after("after")));
  const auto handler = [](const Context&, const Request&) { return text("x"); };
  s.server.get("/v1/x", handler).get("/v12", handler);
  s.sim.start();
  CHECK(s.client.get("/v12").status == 200);
  CHECK(steps.list.empty());
  CHECK(s.client.get("/v1/x").status == 200);
  CHECK(steps.list == std::vector<std::string>{"before", "around in", "around out", "after"});
}

TEST_CASE("hooks are given before start()") {
  InProcess s;
  s.sim.start();
  CHECK_THROWS_AS(s.server.around(refuse), ConfigError);
}

}  // namespace
}  // namespace aiserve::http
