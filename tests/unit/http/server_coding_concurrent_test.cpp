// Compressed bodies both ways over real sockets.
#include <doctest/doctest.h>

#include "aiserve/core/telemetry.hpp"
#include "aiserve/http/server.hpp"
#include "unit/http/client.hpp"
#include "unit/http/gzip.hpp"

namespace aiserve::http {
namespace {

const std::string kText(50'000, 'w');

struct CodingHost {
  CodingHost() {
    const auto answer = [](const Context&, const Request&) { return text(kText); };
    CompressionOptions off;
    off.requests = false;
    server.get("/text", answer)
        .get("/off", answer, {.compression = off})
        .get("/large",
             [this](const Context& ctx, const Request& request) -> Async<Response> {
               Response response = text(std::string(2'000'000, 'L'));
               co_return co_await compressed(runtime, ctx, request, std::move(response));
             })
        .post("/echo", [](const Context&, const Request& request) { return text(request.text()); })
        .post("/later",
              [](const Context&, const Request& request) -> Async<Response> {
                co_return text(std::string(request.text()));
              })
        .post("/small", [](const Context&, const Request& request) { return text(request.text()); },
              {.max_body = 100})
        .post("/plain", [](const Context&, const Request& request) { return text(request.text()); },
              {.compression = off});
    runtime.start();
  }
  static Response text(std::string_view body) { return http::text(std::string(body)); }

  RawClient client() const { return RawClient(server.port()); }

  Telemetry telemetry{{.log_sink = [](LogLevel, std::string_view) {}}};
  Runtime runtime{{.telemetry = &telemetry}};
  Server server{runtime, {.address = "127.0.0.1", .port = 0, .compression = {.responses = true}}};
};

std::string get(std::string_view path, std::string_view accept, std::string_view method = "GET") {
  return std::string(method) + " " + std::string(path) +
         " HTTP/1.1\r\nHost: a\r\nAccept-Encoding: " + std::string(accept) + "\r\n\r\n";
}

std::string post(std::string_view path, std::string_view coding, std::string_view body) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: a\r\nContent-Encoding: " + std::string(coding) +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

TEST_CASE("every coding of this build arrives as what was sent") {
  CodingHost host;
  RawClient client = host.client();
  for (const std::string_view coding : {"gzip", "br", "zstd"}) {
    const Reply reply = client.ask(get("/text", coding));
    CHECK(reply.status == 200);
    const bool coded =
        reply.head.find("Content-Encoding: " + std::string(coding)) != std::string::npos;
    CHECK(decoded(coded ? coding : "identity", reply.body, kText.size()) == kText);
    if (coding == "gzip") CHECK(coded);
  }
  CHECK(client.ask(get("/off", "gzip")).body == kText);
  CHECK(client.get("/text").body == kText);
}

TEST_CASE("HEAD says what GET would") {
  CodingHost host;
  RawClient client = host.client();
  const Reply got = client.ask(get("/text", "gzip"));
  REQUIRE(client.send(get("/text", "gzip", "HEAD")));
  const Reply head = client.reply(true);
  CHECK(head.body.empty());
  CHECK(head.head.substr(head.head.find("Content-Type")) ==
        got.head.substr(got.head.find("Content-Type")));
}

TEST_CASE("a large response is compressed on the CPU pool when the handler says so") {
  CodingHost host;
  RawClient client = host.client();
  const Reply reply = client.ask(get("/large", "gzip"));
  CHECK(reply.head.find("Content-Encoding: gzip") != std::string::npos);
  CHECK(inflated(reply.body, 2'000'000) == std::string(2'000'000, 'L'));
  CHECK(client.get("/large").body.size() == 2'000'000);
}

TEST_CASE("handlers see decoded bodies") {
  CodingHost host;
  RawClient client = host.client();
  const std::string text(30'000, 'r');
  for (const std::string_view path : {"/echo", "/later"}) {
    CHECK(client.ask(post(path, "gzip", deflated(text))).body == text);
    CHECK(client.ask(post(path, "deflate", deflated(text, kZlib))).body == text);
    CHECK(client.ask(post(path, "identity", text)).body == text);
  }
  const std::string coded = deflated("in chunks");
  CHECK(client
            .ask("POST /later HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n" +
                 std::string(coded.size() < 16 ? "" : "1") + "0123456789abcdef"[coded.size() % 16] +
                 "\r\n" + coded + "\r\n0\r\n\r\n")
            .body == "in chunks");
}

TEST_CASE("unknown codings are 415 and say what is taken") {
  CodingHost host;
  RawClient client = host.client();
  for (const std::string_view coding : {"br", "compress", "gzip, gzip", "nonsense"}) {
    const Reply reply = client.ask(post("/echo", coding, "x"));
    CHECK(reply.status == 415);
    CHECK(reply.head.find("Accept-Encoding: gzip, deflate\r\n") != std::string::npos);
  }
  CHECK(client.ask(post("/plain", "gzip", deflated("x"))).status == 415);
  CHECK(client.ask(post("/echo", "gzip", deflated("fine"))).body == "fine");
}

TEST_CASE("broken bodies are 400, bombs 413, and the connection goes on") {
  CodingHost host;
  RawClient client = host.client();
  CHECK(client.ask(post("/echo", "gzip", "no gzip")).status == 400);
  CHECK(client.ask(post("/later", "gzip", deflated("cut").substr(0, 12))).status == 400);
  const std::string bomb = deflated(std::string(100'000'000, '\0'));  // 100 MB in 97 KB
  CHECK(client.ask(post("/echo", "gzip", bomb)).status == 413);
  CHECK(client.ask(post("/later", "gzip", bomb)).status == 413);
  CHECK(client.ask(post("/small", "gzip", deflated(std::string(101, 's')))).status == 413);
  CHECK(client.ask(post("/small", "gzip", deflated(std::string(100, 's')))).body ==
        std::string(100, 's'));
}

TEST_CASE("options of a route are checked where it is wired") {
  Runtime runtime;
  Server server(runtime, {.address = "127.0.0.1", .port = 0});
  CompressionOptions wrong;
  wrong.types = {"json"};
  const auto wire = [&] {
    server.get("/", [](const Context&, const Request&) { return text(""); },
               {.compression = wrong});
  };
  CHECK_THROWS_AS(wire(), ConfigError);
}

}  // namespace
}  // namespace aiserve::http
