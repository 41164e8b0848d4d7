#include "http/client/client_metrics.hpp"

#include <string_view>

namespace aiserve::inline v0::http::detail {
namespace {

constexpr std::string_view kCalls = "aiserve_http_client_requests_total";
constexpr std::string_view kCallsHelp = "Calls to other services by what they came to.";
constexpr std::string_view kRetries = "aiserve_http_client_retries_total";
constexpr std::string_view kRetriesHelp = "Calls repeated, or not for want of budget.";
constexpr std::string_view kConnections = "aiserve_http_client_connections_total";
constexpr std::string_view kConnectionsHelp = "Connections taken by calls.";
constexpr std::string_view kHandshakes = "aiserve_http_client_tls_handshakes_total";
constexpr std::string_view kHandshakesHelp = "TLS handshakes with other services that went well.";
constexpr std::string_view kOpen = "aiserve_http_client_connections";
constexpr std::string_view kOpenHelp = "Open connections to other services.";

}  // namespace

ClientMetrics::ClientMetrics(Metrics& metrics, const std::string& client)
    : retries(metrics.counter(kRetries, kRetriesHelp, {{"client", client}, {"result", "made"}})),
      stale_retries(
          metrics.counter(kRetries, kRetriesHelp, {{"client", client}, {"result", "stale"}})),
      budget_refused(
          metrics.counter(kRetries, kRetriesHelp, {{"client", client}, {"result", "no_budget"}})),
      opened(metrics.counter(kConnections, kConnectionsHelp,
                             {{"client", client}, {"result", "opened"}})),
      reused(metrics.counter(kConnections, kConnectionsHelp,
                             {{"client", client}, {"result", "reused"}})),
      full(metrics.counter(kHandshakes, kHandshakesHelp, {{"client", client}, {"result", "full"}})),
      resumed(metrics.counter(kHandshakes, kHandshakesHelp,
                              {{"client", client}, {"result", "resumed"}})),
      breaker_opened(metrics.counter("aiserve_http_client_breaker_opened_total",
                                     "Times a circuit breaker opened.", {{"client", client}})),
      idle(metrics.gauge(kOpen, kOpenHelp, {{"client", client}, {"state", "idle"}})),
      busy(metrics.gauge(kOpen, kOpenHelp, {{"client", client}, {"state", "busy"}})),
      seconds_(metrics.histogram("aiserve_http_client_request_seconds",
                                 "Time of calls, with their retries and redirects.",
                                 {{"client", client}})) {
  for (std::size_t i = 2; i < classes_.size(); ++i) {
    const std::string outcome = std::to_string(i) + "xx";
    classes_[i] = &metrics.counter(kCalls, kCallsHelp, {{"client", client}, {"outcome", outcome}});
  }
  for (const ErrcTraits& error : all_errc_traits()) {
    const std::string outcome(error.label);
    errors_[error.code] =
        &metrics.counter(kCalls, kCallsHelp, {{"client", client}, {"outcome", outcome}});
  }
}

void ClientMetrics::answered(int status, Duration took) noexcept {
  classes_[static_cast<std::size_t>(status / 100)]->inc();
  seconds_.observe(took);
}

void ClientMetrics::failed(Errc code, Duration took) noexcept {
  const auto counter = errors_.find(code);
  if (counter != errors_.end()) counter->second->inc();
  seconds_.observe(took);
}

}  // namespace aiserve::inline v0::http::detail
