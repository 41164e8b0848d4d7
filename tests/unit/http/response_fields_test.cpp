// What a handler copies from its input into a field cannot split a response.
#include <doctest/doctest.h>

#include "aiserve/http/response.hpp"
#include "unit/http/client.hpp"
#include "unit/http/simulation.hpp"

namespace aiserve::http {
namespace {

using Make = Response (*)(std::string_view evil);

constexpr Make kMakers[] = {
    [](std::string_view evil) { return text("x").header("X-Name", evil); },
    [](std::string_view evil) { return text("x").header(evil, "value"); },
    [](std::string_view evil) { return text("x").add_header("Set-Cookie", evil); },
    [](std::string_view evil) { return see_other(evil); },
    [](std::string_view evil) {
      Response response;
      response.body(std::string("x"), evil);
      return response;
    },
};

TEST_CASE("CR, LF or NUL in a header, cookie, redirect or type is a 500 and a line in the log") {
  using namespace std::string_view_literals;
  for (const std::string_view evil :
       {"a\r\nX-Evil: 1"sv, "a\nX-Evil: 1"sv, "a\rX-Evil: 1"sv, "a\0X-Evil: 1"sv,
        "a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"sv}) {
    for (const Make make : kMakers) {
      Simulation s;
      s.server.get("/", [&](const Context&, const Request&) { return make(evil); });
      s.server.get("/good", [](const Context&, const Request&) { return text("good"); });
      s.sim.start();
      RawClient client(s.server.port());
      client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /good HTTP/1.1\r\nHost: a\r\n\r\n");
      REQUIRE(s.run_until([&] { return client.pending(); }));
      const Reply bad = client.reply();
      CHECK(bad.status == 500);
      CHECK((bad.head + bad.body).find("vil") == std::string::npos);
      CHECK(client.reply().body == "good");
      CHECK(client.received().empty());
      CHECK(s.log.find("the response cannot be sent") != std::string::npos);
    }
  }
}

TEST_CASE("what a hook adds is checked as well") {
  Simulation s;
  s.server.get("/", [](const Context&, const Request&) { return text("x"); });
  s.server.after(
      [](const Context&, const Request&, Response& response) { response.header("X", "a\r\nb"); });
  s.sim.start();
  RawClient client(s.server.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(s.run_until([&] { return client.pending(); }));
  CHECK(client.reply().status == 500);
}

}  // namespace
}  // namespace aiserve::http
