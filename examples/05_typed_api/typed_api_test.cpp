#include <csignal>
#include <cstdlib>
#include <string>

#include <doctest/doctest.h>

#include "support/child_process.hpp"
#include "unit/http/client.hpp"

using aiserve::http::RawClient;
using aiserve::http::Reply;
using aiserve::testing::ChildProcess;

namespace {

struct Example {
  Example() {
    REQUIRE(program.wait_for_errors("\"msg\":\"http: listening\""));
    REQUIRE(program.wait_for_errors("\n"));
    const std::string& log = program.errors();
    const std::size_t at = log.find("\"port\":", log.find("http: listening"));
    client.connect(static_cast<std::uint16_t>(std::atoi(log.c_str() + at + 7)));
  }
  Reply ask(const std::string& line, const std::string& body = "",
            const std::string& token = "biscuit") {
    client.send(line + " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + token +
                "\r\nContent-Type: application/json\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body);
    return client.reply();
  }

  ChildProcess program{{std::getenv("TYPED_API"), "0"}};
  RawClient client;
};

}  // namespace

TEST_CASE("pets are taken in, listed, found and let go") {
  Example example;
  const Reply added =
      example.ask("POST /v1/pets", R"({"name":"Tom","species":{"kind":"cat"},"tags":["grey"]})");
  CHECK(added.status == 201);
  CHECK(
      added.body ==
      R"({"id":1,"name":"Tom","species":{"kind":"cat","lives":9},"size":"medium","tags":["grey"]})");
  CHECK(example.ask("GET /v1/pets/1").body == added.body);
  CHECK(example.ask("GET /v1/pets?tag=grey").body == "[" + added.body + "]");
  CHECK(example.ask("GET /v1/pets?tag=red").body == "[]");
  CHECK(example.ask("DELETE /v1/pets/1").status == 204);
  CHECK(example.ask("GET /v1/pets/1").status == 404);
}

TEST_CASE("what a pet cannot be is told all at once, and strangers are turned away") {
  Example example;
  const Reply refused = example.ask(
      "POST /v1/pets",
      R"({"name":"","species":{"kind":"dog"},"size":"giant","weight":0,"tags":["Ok"],"legs":4})");
  CHECK(refused.status == 422);
  for (const char* pointer : {"\"/name\"", "\"/species/trick\"", "\"/size\"", "\"/weight\"",
                              "\"/tags/0\"", "\"/legs\""}) {
    CAPTURE(pointer);
    CHECK(refused.body.find(pointer) != std::string::npos);
  }
  CHECK(example.ask("GET /v1/pets", "", "bone").status == 401);
  CHECK(example.ask("GET /openapi.json", "", "").status == 200);
  CHECK(example.ask("GET /docs", "", "").status == 200);
  example.program.send_signal(SIGTERM);
  CHECK(example.program.wait() == 0);
}
