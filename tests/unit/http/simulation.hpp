// A server on simulated time: real sockets, but nothing moves unless the test moves it.
#pragma once

#include <string>
#include <string_view>

#include <poll.h>

#include "aiserve/core/telemetry.hpp"
#include "aiserve/http/server.hpp"
#include "aiserve/testing/sim_runtime.hpp"

namespace aiserve::http {

struct Simulation {
  Simulation() = default;
  explicit Simulation(ServerOptions given) : options(std::move(given)) {}

  ServerOptions options{};
  std::string log;
  Telemetry telemetry{
      {.log_level = LogLevel::debug,
       .log_sink = [this](LogLevel, std::string_view line) { log.append(line).append("\n"); }}};
  testing::SimRuntime sim{{.telemetry = &telemetry}};
  Server server{sim.runtime(), loopback(options)};

  static ServerOptions loopback(ServerOptions options) {
    options.address = "127.0.0.1";
    options.port = 0;
    return options;
  }

  // The kernel may take a moment to hand bytes over; simulated time doesn't.
  template <class F>
  bool run_until(F done) {
    for (int i = 0; i < 20'000; ++i) {
      sim.run_until_idle();
      if (done()) return true;
      ::poll(nullptr, 0, 1);
    }
    return false;
  }
  // Until the kernel has nothing more to hand over: for what is not to happen.
  void settle() {
    for (int i = 0; i < 20; ++i) {
      sim.run_until_idle();
      ::poll(nullptr, 0, 1);
    }
  }
  // The value of a series, metric("name{label=\"x\"}"); empty if there is none.
  std::string metric(std::string_view series) {
    const std::string text = telemetry.metrics().prometheus();
    const std::size_t at = text.find(std::string(series) + " ");
    if (at == std::string::npos) return {};
    const std::size_t begin = at + series.size() + 1;
    return text.substr(begin, text.find('\n', begin) - begin);
  }
  bool logged(std::string_view part) const { return log.find(part) != std::string::npos; }
};

}  // namespace aiserve::http
