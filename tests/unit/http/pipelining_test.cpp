// Requests that come in one read, whose handlers end in different ways.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "aiserve/core/async.hpp"
#include "unit/http/client.hpp"
#include "unit/http/simulation.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;
using Strings = std::vector<std::string>;

struct Pipeline : Simulation {
  explicit Pipeline(ServerOptions given = {}) : Simulation(std::move(given)) {
    server.get("/now/{n}", [this](const Context&, const Request& request) -> Async<Response> {
      co_return answer(request);
    });
    server.get("/plain/{n}",
               [this](const Context&, const Request& request) { return answer(request); });
    server.get("/later/{n}", [this](const Context& ctx, const Request& request) -> Async<Response> {
      Response response = answer(request);
      const Result<void> slept = co_await sleep(ctx, 1s);
      if (!slept) co_return slept.error();
      co_return response;
    });
    server.get("/fails/{n}", [this](const Context&, const Request& request) -> Async<Response> {
      (void)answer(request);
      throw ResultError(Error(Errc::not_found, "none"));
    });
    server.get("/stream/{n}",
               [this](const Context&, const Request& request, BodyWriter& out) -> Async<void> {
                 const std::string body = answered(request);
                 out.head(Response(), body.size()).value();
                 co_return co_await out.write(body);
               });
    server.post("/now/{n}", [this](const Context&, const Request& request) -> Async<Response> {
      co_return answer(request);
    });
    sim.start();
  }

  std::string answered(const Request& request) {
    begun.emplace_back(request.param("n"));
    return begun.back();
  }
  Response answer(const Request& request) { return text(answered(request)); }

  // In one write; what is answered, in its order: the bodies, of problems the status.
  Strings ask(const std::string& requests, std::size_t answers) {
    RawClient client(server.port());
    client.send(requests);
    Strings bodies;
    (void)run_until([&] { return begun.size() >= answers; });
    sim.advance(2s);
    for (std::size_t i = 0; i < answers; ++i) {
      const Reply reply = client.reply();
      bodies.push_back(reply.status == 200 ? reply.body : std::to_string(reply.status));
    }
    return bodies;
  }

  Strings begun;
};

std::string get(const std::string& path, const std::string& fields = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

TEST_CASE(
    "requests of one read begin and are answered in their order, however their handlers end") {
  Pipeline s;
  CHECK(s.ask(get("/now/1") + get("/now/2") + get("/later/3") + get("/now/4") + get("/plain/5") +
                  get("/fails/6") + get("/later/7") + get("/now/8") + get("/now/9"),
              9) == Strings{"1", "2", "3", "4", "5", "404", "7", "8", "9"});
  CHECK(s.begun == Strings{"1", "2", "3", "4", "5", "6", "7", "8", "9"});
  CHECK(s.server.in_flight() == 0);
}

TEST_CASE("many requests of one read are each served once") {
  Pipeline s;
  std::string requests;
  Strings wanted;
  for (int i = 0; i < 300; ++i) {
    const char* const kind = i % 7 == 3 ? "/plain/" : "/now/";
    wanted.push_back(std::to_string(i));
    requests += get(kind + wanted.back());
  }
  CHECK(s.ask(requests, wanted.size()) == wanted);
  CHECK(s.begun == wanted);
}

TEST_CASE("streams and bodies between them keep their places") {
  Pipeline s;
  const std::string post = "POST /now/3 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody";
  CHECK(s.ask(get("/now/1") + get("/now/2") + post + get("/now/4") + get("/now/5") + post, 6) ==
        Strings{"1", "2", "3", "4", "5", "3"});
  RawClient client(s.server.port());
  client.send(get("/now/1") + get("/stream/2") + get("/now/3"));
  REQUIRE(s.run_until([&] { return s.begun.size() == 9; }));
  CHECK(client.reply().body == "1");
  CHECK(client.reply().body == "2");
  CHECK(client.reply().body == "3");
}

TEST_CASE("nothing behind the last request of a connection is served") {
  Pipeline s;
  RawClient client(s.server.port());
  client.send(get("/now/1") + get("/now/2", "Connection: close\r\n") + get("/now/3"));
  REQUIRE(s.run_until([&] { return s.begun.size() == 2; }));
  s.settle();
  CHECK(client.reply().body == "1");
  CHECK(client.reply().body == "2");
  CHECK(s.begun == Strings{"1", "2"});
}

TEST_CASE("what is malformed behind good requests is refused behind their answers") {
  Pipeline s;
  RawClient client(s.server.port());
  client.send(get("/now/1") + get("/now/2") + "GET  /now/3 HTTP/1.1\r\n\r\n" + get("/now/4"));
  REQUIRE(s.run_until([&] { return s.begun.size() == 2; }));
  s.settle();
  CHECK(client.reply().body == "1");
  CHECK(client.reply().body == "2");
  CHECK(client.reply().status == 400);
  CHECK(s.begun == Strings{"1", "2"});
}

TEST_CASE("one place for a handler is enough for all that end at once") {
  Pipeline s({.max_requests = 1});
  CHECK(s.ask(get("/now/1") + get("/now/2") + get("/later/3") + get("/now/4") + get("/now/5"), 3) ==
        Strings{"1", "2", "3"});
  CHECK(s.begun == Strings{"1", "2", "3"});
  CHECK(s.metric("aiserve_http_refused_total{cause=\"max_requests\",server=\"http\"}") == "2");
}

}  // namespace
}  // namespace aiserve::http
