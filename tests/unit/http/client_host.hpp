// A Runtime with an http::Client that may call loopback, and a way to call from the test's thread.
#pragma once

#include <string>
#include <utility>

#include "aiserve/core/telemetry.hpp"
#include "aiserve/http/client.hpp"
#include "unit/http/log_lines.hpp"

namespace aiserve::http {

struct ClientHost {
  explicit ClientHost(ClientOptions options = {})
      : runtime({.telemetry = &telemetry}), client(runtime, local(std::move(options))) {}

  static ClientOptions local(ClientOptions options) {
    if (options.allow_addresses.empty()) options.allow_addresses = {"127.0.0.0/8"};
    return options;
  }
  void start() { runtime.start(); }

  Result<ClientResponse> send(ClientRequest request, const Context& ctx = Context::background()) {
    return block_on(runtime, client.send(ctx, std::move(request)));
  }
  Result<ClientResponse> get(std::string url, const Context& ctx = Context::background()) {
    return send(ClientRequest(Method::get, std::move(url)), ctx);
  }
  // The value of a series, metric("name{label=\"x\"}"); empty if there is none.
  std::string metric(std::string_view series) {
    const std::string text = telemetry.metrics().prometheus();
    const std::size_t at = text.find(std::string(series) + " ");
    if (at == std::string::npos) return {};
    const std::size_t begin = at + series.size() + 1;
    return text.substr(begin, text.find('\n', begin) - begin);
  }

  LogLines lines;
  Telemetry telemetry{{.log_sink = lines.sink()}};
  Runtime runtime;
  Client client;
};

// Of the error, or a code that no call gives.
inline Errc code_of(const Result<ClientResponse>& came) {
  return came.ok() ? Errc::already_exists : came.error().code();
}

}  // namespace aiserve::http
