// A Runtime with a server on a free port of loopback, and what it logs.
#pragma once

#include <utility>

#include "aiserve/core/telemetry.hpp"
#include "aiserve/http/server.hpp"
#include "unit/http/client.hpp"
#include "unit/http/log_lines.hpp"

namespace aiserve::http {

struct Host {
  explicit Host(ServerOptions options = {}, int io_threads = 1)
      : telemetry({.log_sink = lines.sink()}),
        runtime({.io_threads = io_threads, .telemetry = &telemetry}),
        server(runtime, loopback(std::move(options))) {}

  static ServerOptions loopback(ServerOptions options) {
    options.address = "127.0.0.1";
    options.port = 0;
    return options;
  }
  RawClient client() { return RawClient(server.port()); }

  LogLines lines;
  Telemetry telemetry;
  Runtime runtime;
  Server server;
};

}  // namespace aiserve::http
