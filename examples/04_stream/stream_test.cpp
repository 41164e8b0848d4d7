#include <csignal>
#include <cstdlib>
#include <string>

#include <doctest/doctest.h>

#include "support/child_process.hpp"
#include "unit/http/client.hpp"
#include "unit/http/websocket_client.hpp"

using aiserve::http::RawClient;
using aiserve::http::WebSocketClient;
using aiserve::testing::ChildProcess;

namespace {

struct Example {
  Example() {
    REQUIRE(program.wait_for_errors("\"msg\":\"http: listening\""));
    REQUIRE(program.wait_for_errors("\n"));
    const std::string& log = program.errors();
    const std::size_t at = log.find("\"port\":", log.find("http: listening"));
    port = static_cast<std::uint16_t>(std::atoi(log.c_str() + at + 7));
  }
  RawClient follower(const std::string& last_id) {
    RawClient client(port);
    client.send("GET /v1/ticks HTTP/1.1\r\nHost: a\r\n" +
                (last_id.empty() ? "" : "Last-Event-ID: " + last_id + "\r\n") + "\r\n");
    return client;
  }

  ChildProcess program{{std::getenv("STREAM"), "0"}};
  std::uint16_t port = 0;
};

std::string value_of(const std::string& text, const std::string& field) {
  const std::size_t at = text.find(field) + field.size();
  return text.substr(at, text.find('\n', at) - at);
}

}  // namespace

TEST_CASE("ticks tell what the batcher does, and who comes back misses none") {
  Example example;
  RawClient follower = example.follower("");
  REQUIRE(follower.wait_for("event: tick\n"));
  REQUIRE(follower.wait_for("}\n\n"));
  const std::string first = value_of(follower.received(), "id: ");

  RawClient numbers(example.port);
  numbers.send(
      "POST /v1/double HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "4\r\n1\n2.\r\n");
  CHECK(numbers.wait_for("2.000000\n"));  // the first is answered before the second is there
  numbers.send("2\r\n5\n\r\n0\r\n\r\n");
  CHECK(numbers.wait_for("5.000000\n"));
  CHECK(numbers.wait_for("0\r\n\r\n"));
  CHECK(follower.wait_for("\"computed\":2"));
  follower.close();

  RawClient back = example.follower(first);
  CHECK(back.wait_for("\"computed\":2"));
  const std::size_t dash = first.find('-');
  const std::string next =
      first.substr(0, dash + 1) + std::to_string(std::stoi(first.substr(dash + 1)) + 1);
  CHECK(value_of(back.received(), "id: ") == next);

  RawClient page(example.port);
  CHECK(page.get("/").body.find("EventSource") != std::string::npos);
  example.program.send_signal(SIGTERM);
  CHECK(back.wait_for("\r\n0\r\n\r\n"));
  CHECK(example.program.wait() == 0);
}

TEST_CASE("a line that is no number is an error, and the service goes on") {
  Example example;
  RawClient client(example.port);
  const std::string body = "1\nx\n";
  CHECK(client.ask("POST /v1/double HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n" + body)
            .status == 422);
  RawClient after(example.port);
  CHECK(after.get("/").status == 200);
}

TEST_CASE("a WebSocket gets the same ticks, and its numbers are doubled") {
  Example example;
  WebSocketClient socket(example.port, "/v1/live");
  REQUIRE(socket.handshake.status == 101);
  const auto hear = [&](const std::string& wanted) {
    for (std::string text = socket.hear(); text != "(nothing)"; text = socket.hear()) {
      if (text.find(wanted) != std::string::npos) return true;
    }
    return false;
  };
  CHECK(hear("\"computed\":0"));
  socket.say("2.5");
  CHECK(hear("{\"doubled\":5.000000}"));
  CHECK(hear("\"computed\":1"));
  for (const std::string wrong : {"two", "", "1 2", "nan", "inf", "1e39"}) {
    CAPTURE(wrong);
    socket.say(wrong);
    CHECK(hear("{\"doubled\":null}"));
  }
  example.program.send_signal(SIGTERM);
  int code = 0;
  while (const auto frame = socket.next()) code = frame->code();
  CHECK(code == 1001);
}
