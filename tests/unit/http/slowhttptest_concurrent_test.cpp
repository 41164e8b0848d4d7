// The tool slowhttptest against a server, while somebody else asks.
#include <atomic>
#include <cstdlib>
#include <thread>

#include <doctest/doctest.h>

#include "aiserve/core/telemetry.hpp"
#include "aiserve/http/server.hpp"
#include "unit/http/client.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;

TEST_CASE("slowhttptest keeps nobody else from being served") {
  if (std::system("command -v slowhttptest >/dev/null 2>&1") != 0) {
    MESSAGE("SKIPPED: slowhttptest is not installed");
    return;
  }
  Telemetry telemetry({.log_sink = [](LogLevel, std::string_view) {}});
  Runtime runtime({.telemetry = &telemetry});
  Server server(runtime,
                {.address = "127.0.0.1", .port = 0, .head_timeout = 1s, .body_timeout = 1s});
  const std::string large(1'000'000, 'x');
  server.get("/", [&](const Context&, const Request&) { return text(large); })
      .post("/", [](const Context&, const Request&) { return text("posted"); })
      .get("/alive", [](const Context&, const Request&) { return text("alive"); });
  runtime.start();
  const std::string url = "http://127.0.0.1:" + std::to_string(server.port()) + "/";
  // Slow heads, slow bodies, slow reading; 200 connections for 3 s each.
  for (const std::string mode : {"-H -i 1", "-B -i 1 -s 100000", "-X -w 16 -y 64 -z 8 -n 1 -k 1"}) {
    CAPTURE(mode);
    std::atomic<bool> over{false};
    int status = -1;
    std::thread attacker([&] {
      const std::string command =
          "slowhttptest -c 200 -r 200 -l 3 -p 3 " + mode + " -u " + url + " >/dev/null 2>&1";
      status = std::system(command.c_str());
      over = true;
    });
    int probes = 0;
    int failed = 0;
    while (!over) {
      RawClient probe(server.port());
      for (int i = 0; i < 10; ++i, ++probes) {
        if (probe.get("/alive").body != "alive") ++failed;
      }
    }
    attacker.join();
    CHECK(status == 0);
    CHECK(probes >= 10);
    CHECK(failed == 0);
  }
  runtime.shutdown();
  CHECK(server.connections() == 0);
}

}  // namespace
}  // namespace aiserve::http
