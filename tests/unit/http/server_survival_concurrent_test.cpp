// What nobody should send, sent: every round ends with a normal request that is served, and with
// memory and descriptors where they were.
#include <array>

#include <doctest/doctest.h>

#include "aiserve/core/telemetry.hpp"
#include "aiserve/http/multipart.hpp"
#include "aiserve/http/server.hpp"
#include "support/descriptors.hpp"
#include "support/memory.hpp"
#include "unit/http/client.hpp"
#include "unit/http/gzip.hpp"

namespace aiserve::http {
namespace {

using namespace std::string_view_literals;

// After the Big List of Naughty Strings: what breaks parsers, shells, queries and screens.
constexpr std::array kNaughty{"undefined"sv,
                              "null"sv,
                              "NaN"sv,
                              "-1"sv,
                              "0x0"sv,
                              "1e1000"sv,
                              "9223372036854775808"sv,
                              ",./;'[]-="sv,
                              "<>?:\"{}|_+"sv,
                              "!@#$%^&*()`~"sv,
                              "' OR 1=1 -- "sv,
                              "%s%n%x%p"sv,
                              "$(touch /tmp/x)"sv,
                              "`id`"sv,
                              "${jndi:ldap://x}"sv,
                              "{{7*7}}"sv,
                              "<script>alert(1)</script>"sv,
                              "../../etc/passwd"sv,
                              "..\\..\\boot.ini"sv,
                              "file:///etc/passwd"sv,
                              "a/b//c"sv,
                              "."sv,
                              ".."sv,
                              "con"sv,
                              "nul.txt"sv,
                              " "sv,
                              "\t"sv,
                              "\r\nX-Injected: 1"sv,
                              "a\0b"sv,
                              "\x7f"sv,
                              "\x1b[31mred"sv,
                              "\xef\xbb\xbf"sv,
                              "\xe2\x80\x8b"sv,
                              "\xe2\x80\xae"
                              "desrever"sv,
                              "\xf0\x9f\x92\xa9"sv,
                              "Z\xcc\xa1\xcd\x8c\xcc\xa7"sv,
                              "\xd8\xa7\xd9\x84"sv,
                              "\xc0\xaf"sv,
                              "\xed\xa0\x80"sv,
                              "\xf4\x90\x80\x80"sv,
                              "\xff\xfe"sv,
                              "\xf0\x28\x8c\xbc"sv,
                              "%2e%2e%2f"sv,
                              "%00"sv,
                              "%"sv,
                              "+"sv};

std::string escaped(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += {'%', kHex[byte >> 4], kHex[byte & 15]};
  }
  return out;
}

struct SurvivalHost {
  SurvivalHost() {
    const auto echo = [](const Context&, const Request& request) {
      return text(std::string(request.text()));
    };
    server
        .get("/path/{name}",
             [](const Context&, const Request& request) {
               return text(std::string(request.param("name")));
             })
        .get("/query",
             [](const Context&, const Request& request) {
               return text(request.query("q").value_or("missing"));
             })
        .get("/header",
             [](const Context&, const Request& request) {
               return text("fine").header("X-Echo", request.query("q").value_or(""));
             })
        .get("/go",
             [](const Context&, const Request& request) {
               return see_other(request.query("q").value_or("/"));
             })
        .post("/echo", echo, {.max_body = 1 << 20})
        .post("/form", [](const Context&, const Request& request) {
          const auto parts = multipart(request).value();
          return text(parts.front().name + parts.front().body.to_string());
        });
    runtime.start();
  }
  RawClient client() const { return RawClient(server.port()); }
  void check_service() const {
    CHECK(client().get("/path/well").body == "well");
    CHECK(client().ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok").body ==
          "ok");
  }

  Telemetry telemetry{{.log_sink = [](LogLevel, std::string_view) {}}};
  Runtime runtime{{.telemetry = &telemetry}};
  Server server{runtime, {.address = "127.0.0.1", .port = 0}};
};

TEST_CASE("naughty strings in a path are that string or a 400") {
  const SurvivalHost host;
  for (const std::string_view naughty : kNaughty) {
    CAPTURE(naughty);
    const Reply reply = host.client().get("/path/" + escaped(naughty));
    CHECK((reply.status == 200 || reply.status == 400));
    if (reply.status == 200) CHECK(reply.body == naughty);
  }
  host.check_service();
}

TEST_CASE("naughty strings in a query are that string") {
  const SurvivalHost host;
  RawClient client = host.client();
  for (const std::string_view naughty : kNaughty) {
    CAPTURE(naughty);
    CHECK(client.get("/query?q=" + escaped(naughty)).body == naughty);
  }
  host.check_service();
}

TEST_CASE("naughty strings in a body and in a form are themselves") {
  const SurvivalHost host;
  RawClient client = host.client();
  for (const std::string_view naughty : kNaughty) {
    CAPTURE(naughty);
    const std::string body(naughty);
    CHECK(client
              .ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: " +
                   std::to_string(body.size()) + "\r\n\r\n" + body)
              .body == naughty);
    const std::string form =
        "--b\r\nContent-Disposition: form-data; name=n\r\n\r\n" + body + "\r\n--b--\r\n";
    CHECK(client
              .ask("POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; "
                   "boundary=b\r\nContent-Length: " +
                   std::to_string(form.size()) + "\r\n\r\n" + form)
              .body == "n" + body);
  }
  host.check_service();
}

TEST_CASE("naughty strings sent as header values, names and targets are read or refused, alone") {
  const SurvivalHost host;
  for (const std::string_view naughty : kNaughty) {
    if (naughty.find('\n') != std::string_view::npos) continue;  // two messages, by right
    CAPTURE(naughty);
    const std::string text(naughty);
    for (const std::string& request :
         {"GET /path/x HTTP/1.1\r\nHost: a\r\nX-Naughty: " + text + "\r\n\r\n",
          "GET /path/x HTTP/1.1\r\nHost: a\r\n" + text + ": x\r\n\r\n",
          "GET /path/" + text + " HTTP/1.1\r\nHost: a\r\n\r\n",
          "GET /path/x HTTP/1.1\r\nHost: " + text + "\r\n\r\n",
          text + " /path/x HTTP/1.1\r\nHost: a\r\n\r\n"}) {
      RawClient client = host.client();
      REQUIRE(client.send(request));
      client.stop_sending();
      CHECK(client.wait_for_end());
      const std::string& got = client.received();
      const std::size_t second = got.find("HTTP/1.1 ", 1);
      CHECK((got.empty() || got.starts_with("HTTP/1.1 ")));
      CHECK(second == std::string::npos);
    }
  }
  host.check_service();
}

TEST_CASE("what a handler copies into a field cannot split its response") {
  const SurvivalHost host;
  for (const std::string_view route : {"/header?q=", "/go?q="}) {
    for (const std::string_view naughty : kNaughty) {
      CAPTURE(naughty);
      const Reply reply = host.client().get(std::string(route) + escaped(naughty));
      CHECK((reply.status == 200 || reply.status == 303 || reply.status == 500));
      CHECK(reply.head.find("\nX-Injected") == std::string::npos);
    }
  }
  host.check_service();
}

// Bombs, floods of small chunks and endless things, one connection each.
void barrage(const SurvivalHost& host, const std::string& bomb) {
  const auto send = [&](const std::string& request) { return host.client().ask(request).status; };
  CHECK(send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: " +
             std::to_string(bomb.size()) + "\r\n\r\n" + bomb) == 413);
  std::string chunks = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 100'000; ++i) chunks += "1\r\nx\r\n";
  CHECK(send(chunks + "0\r\n\r\n") == 200);
  CHECK(send("GET /" + std::string(20'000, 'u') + " HTTP/1.1\r\nHost: a\r\n\r\n") == 414);
  CHECK(send("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'h') + "\r\n\r\n") == 431);
  std::string form = "--b\r\nContent-Disposition: form-data; name=n\r\n";
  form += "X: " + std::string(100'000, 'f');
  CHECK(send("POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\n"
             "Content-Length: " +
             std::to_string(form.size()) + "\r\n\r\n" + form) == 413);
}

TEST_CASE("bombs and floods leave neither memory nor descriptors behind") {
  const std::string bomb = deflated(std::string(50'000'000, '\0'));
  const std::size_t before = testing::open_descriptors();
  {
    SurvivalHost host;
    barrage(host, bomb);
    host.check_service();
    const std::size_t heap = testing::heap_bytes();
    const std::size_t resident = testing::resident_kib();
    for (int i = 0; i < 3; ++i) barrage(host, bomb);
    host.check_service();
    if (testing::kMemoryTells) {
      CHECK(testing::heap_bytes() <= heap + 256 * 1024);
      CHECK(testing::resident_kib() <= resident + 8 * 1024);
    }
    host.runtime.shutdown();
    CHECK(host.server.connections() == 0);
  }
  CHECK(testing::open_descriptors() == before);
}

}  // namespace
}  // namespace aiserve::http
