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

constexpr std::uint16_t kPort = 8080;

}  // namespace

TEST_CASE("the first program of the documentation answers, and ends well at SIGTERM") {
  if (RawClient(kPort).connected()) {
    MESSAGE("SKIPPED: somebody else listens on port 8080");
    return;
  }
  ChildProcess hello({std::getenv("HELLO")});
  REQUIRE(hello.wait_for_errors("\"port\":8080"));
  RawClient client(kPort);
  const Reply reply = client.get("/hello/W%C3%B6rld");
  CHECK(reply.status == 200);
  CHECK(reply.body == "Hello, W\xc3\xb6rld!\n");
  CHECK(client.get("/nobody").status == 404);
  hello.send_signal(SIGTERM);
  CHECK(hello.wait() == 0);
}
