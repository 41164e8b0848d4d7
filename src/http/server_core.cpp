#include "http/server_core.hpp"

#include <algorithm>
#include <utility>

#include "http/char_class.hpp"
#include "http/response_coding.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

constexpr const char* kPauses = "aiserve_http_accept_pauses_total";
constexpr const char* kPausesHelp = "Times that accepting stopped for a moment";

void check_range(const char* option, std::uint64_t value, std::uint64_t low, std::uint64_t high) {
  if (value >= low && value <= high) return;
  throw ConfigError("http: " + std::string(option) + " is " + std::to_string(value) + ", must be " +
                    std::to_string(low) + " to " + std::to_string(high));
}

void check_time(const char* option, std::chrono::milliseconds value) {
  constexpr std::int64_t kDay = 86'400'000;
  if (value.count() >= 1 && value.count() <= kDay) return;
  throw ConfigError("http: " + std::string(option) + " is " + std::to_string(value.count()) +
                    " ms, must be 1 ms to one day");
}

void check_proxies(const ServerOptions& options) {
  const bool any = !options.trusted_proxies.empty();
  if (options.proxy_protocol && !any) {
    throw ConfigError("http: proxy_protocol needs trusted_proxies");
  }
  const std::string& field = options.request_id_field;
  if (field.empty()) return;
  if (!any) throw ConfigError("http: request_id_field needs trusted_proxies");
  const bool token = std::all_of(field.begin(), field.end(), [](char c) { return is(c, kToken); });
  if (!token) throw ConfigError("http: request_id_field is no name of a header field");
}

void check_tls(const TlsOptions& tls) {
  if (tls.certificate.empty()) {
    const bool meant = !tls.private_key.empty() || !tls.more.empty() || !tls.client_ca.empty();
    if (meant) throw ConfigError("http: tls.certificate is missing");
    return;
  }
  check_time("tls.handshake_timeout", tls.handshake_timeout);
  if (tls.reload_interval.count() != 0) check_time("tls.reload_interval", tls.reload_interval);
}

}  // namespace

void check_stream_buffer(std::size_t bytes) {
  check_range("stream_buffer", bytes, 1024, 1ULL << 30);
}

void check_max_events(std::size_t bytes) { check_range("max_events", bytes, 1024, 1ULL << 30); }

ServerOptions checked(ServerOptions options) {
  constexpr std::uint64_t kGib = 1ULL << 30;
  check_range("max_connections", options.max_connections, 1, 10'000'000);
  check_range("backlog", static_cast<std::uint64_t>(std::max(options.backlog, 0)), 1, 1 << 20);
  check_range("max_head", options.max_head, 1024, kMaxHeadBytes);
  check_range("max_target", options.max_target, 1, kMaxHeadBytes);
  check_range("max_headers", options.max_headers, 1, kMaxHeaders);
  check_range("max_body", options.max_body, 0, 1024 * kGib);
  check_range("max_pending", options.max_pending, 1024, kGib);
  check_stream_buffer(options.stream_buffer);
  check_max_events(options.max_events);
  check_time("head_timeout", options.head_timeout);
  check_time("body_timeout", options.body_timeout);
  check_time("idle_timeout", options.idle_timeout);
  check_time("write_timeout", options.write_timeout);
  check_time("request_timeout", options.request_timeout);
  check_time("heartbeat", options.heartbeat);
  check_range("max_requests", options.max_requests, 1, 10'000'000);
  check_range("max_requests_per_tenant", options.max_requests_per_tenant, 0, 10'000'000);
  if (options.slow_request.count() != 0) check_time("slow_request", options.slow_request);
  check_tls(options.tls);
  check(options.compression);
  check_range("unix_mode", options.unix_mode, 0, 0777);
  check_proxies(options);
  return options;
}

ConnectionLimits limits_of(const ServerOptions& options) {
  ConnectionLimits limits;
  limits.head = {options.max_head, options.max_target, options.max_headers};
  limits.body_bytes = options.max_body;
  limits.out_bytes = options.max_pending;
  limits.head_timeout = options.head_timeout;
  limits.body_timeout = options.body_timeout;
  limits.idle_timeout = options.idle_timeout;
  limits.write_timeout = options.write_timeout;
  limits.heartbeat = options.heartbeat;
  return limits;
}

ServerCore::ServerCore(Runtime& its_runtime, ServerOptions given)
    : runtime(its_runtime),
      options(checked(std::move(given))),
      limits(limits_of(options)),
      telemetry(runtime.telemetry()),
      clock(runtime.clock()),
      tracer(telemetry.tracer()),
      forwarding{TrustedPeers(options.trusted_proxies), options.forwarded_by},
      peers(options.max_connections_per_peer),
      places(options.max_requests),
      unrouted(telemetry.metrics(), options.name, "unrouted", "any"),
      refused(telemetry.metrics(), options.name, "refused", "any"),
      refusals(telemetry.metrics(), options.name),
      accepted(telemetry.metrics().counter("aiserve_http_accepted_total", "Connections accepted",
                                           {{"server", options.name}})),
      events_dropped(telemetry.metrics().counter("aiserve_http_events_dropped_total",
                                                 "Events that slow clients have lost",
                                                 {{"server", options.name}})),
      paused_at_limit(telemetry.metrics().counter(
          kPauses, kPausesHelp, {{"server", options.name}, {"cause", "max_connections"}})),
      paused_without_descriptors(telemetry.metrics().counter(
          kPauses, kPausesHelp, {{"server", options.name}, {"cause", "descriptors"}})),
      websockets(telemetry.metrics(), options.name),
      connections_gauge(telemetry.metrics().gauge(
          "aiserve_http_connections", "Connections open", {{"server", options.name}},
          [this] { return static_cast<double>(connections.load(std::memory_order_relaxed)); })),
      requests_gauge(telemetry.metrics().gauge(
          "aiserve_http_requests_in_flight", "Requests whose handlers run or are suspended",
          {{"server", options.name}}, [this] { return static_cast<double>(places.taken()); })) {
  if (options.tls.certificate.empty()) return;
  handshakes = &telemetry.metrics().counter("aiserve_http_tls_handshakes_total",
                                            "TLS handshakes completed", {{"server", options.name}});
  tls = std::make_unique<TlsStore>(options.tls, telemetry, options.name, runtime.clock().now());
}

}  // namespace aiserve::inline v0::http::detail
