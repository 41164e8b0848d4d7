// A server on simulated time that is asked in its own process. start() it when it is wired.
#pragma once

#include <string>
#include <utility>

#include "aiserve/core/telemetry.hpp"
#include "aiserve/http_testing/test_client.hpp"

namespace aiserve::http {

struct InProcess {
  explicit InProcess(ServerOptions options = {}) : server(sim.runtime(), loopback(options)) {}

  static ServerOptions loopback(ServerOptions options) {
    options.address = "127.0.0.1";
    options.port = 0;
    return options;
  }

  std::string log;
  Telemetry telemetry{
      {.log_sink = [this](LogLevel, std::string_view line) { log.append(line).append("\n"); }}};
  testing::SimRuntime sim{{.telemetry = &telemetry}};
  Server server;
  TestClient client{sim, server};
};

}  // namespace aiserve::http
