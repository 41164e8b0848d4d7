// ServerCore: what the I/O threads of one server share: options, routes, hooks, counters.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "aiserve/core/gate.hpp"
#include "aiserve/core/runtime.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/http/server.hpp"
#include "http/connection.hpp"
#include "http/forwarded.hpp"
#include "http/peer_counts.hpp"
#include "http/refusals.hpp"
#include "http/route.hpp"
#include "http/router.hpp"
#include "http/tenant_places.hpp"
#include "http/tls_store.hpp"
#include "http/websocket_resources.hpp"

namespace aiserve::inline v0::http::detail {

class HttpThread;

struct ServerCore {
  ServerCore(Runtime& its_runtime, ServerOptions given);

  Runtime& runtime;
  const ServerOptions options;
  const ConnectionLimits limits;
  Telemetry& telemetry;
  const Clock& clock;
  Tracer& tracer;
  std::vector<HttpThread*> threads;  // does not change once they run

  Router router;
  std::vector<std::unique_ptr<Route>> routes;
  Hooks hooks;
  std::vector<AfterHook> after_unrouted;  // of 404, 405, OPTIONS
  std::string options_allow;              // of OPTIONS *

  const Forwarding forwarding;
  PeerCounts peers;
  std::unique_ptr<TlsStore> tls;  // null: plain HTTP

  Gate gate;
  Places places;  // of all handlers that are no plain ones
  TenantPlaces tenant_places;
  std::atomic<std::size_t> connections{0};
  std::atomic<bool> started{false};

  RouteMetrics unrouted;  // 404, 405, OPTIONS
  RouteMetrics refused;   // what was no request
  Refusals refusals;
  Counter& accepted;
  Counter& events_dropped;
  Counter& paused_at_limit;
  Counter& paused_without_descriptors;
  Counter* handshakes = nullptr;  // of TLS
  WebSocketMetrics websockets;
  CallbackGauge connections_gauge;
  CallbackGauge requests_gauge;
};

// Throws ConfigError naming the option.
ServerOptions checked(ServerOptions options);
void check_max_events(std::size_t bytes);
void check_stream_buffer(std::size_t bytes);
ConnectionLimits limits_of(const ServerOptions& options);

}  // namespace aiserve::inline v0::http::detail
