#include "unit/http/client.hpp"

#include <csignal>
#include <cstdlib>

#include <doctest/doctest.h>

#include "support/child_process.hpp"

using aiserve::http::RawClient;
using aiserve::http::Reply;
using aiserve::testing::ChildProcess;

TEST_CASE("what has come in time is answered, whatever became of the other shops") {
  constexpr std::uint16_t kPort = 8080;
  if (RawClient(kPort).connected()) {
    MESSAGE("SKIPPED: somebody else listens on port 8080");
    return;
  }
  ChildProcess example({std::getenv("CLIENT")});
  REQUIRE(example.wait_for_errors("\"port\":8080"));
  RawClient client(kPort);
  for (int i = 0; i < 2; ++i) {
    const Reply reply = client.get("/prices/tea");
    CHECK(reply.status == 200);
    CHECK(reply.body.find("quick: 3.50\n") != std::string::npos);
    CHECK(reply.body.find("slow: 3.50") == std::string::npos);
    CHECK(reply.body.find("broken: status 404\n") != std::string::npos);
  }
  example.send_signal(SIGTERM);
  CHECK(example.wait() == 0);
}
