#include "http/refusals.hpp"

namespace aiserve::inline v0::http::detail {

Refusals::Refusals(Metrics& metrics, const std::string& server) {
  constexpr std::array<const char*, kCauses> kNames{
      "estimate",   "handshake",  "max_concurrent", "max_requests", "max_requests_per_tenant",
      "peer_limit", "plain_http", "proxy_header"};
  for (std::size_t i = 0; i < kCauses; ++i) {
    counters_[i] = &metrics.counter("aiserve_http_refused_total",
                                    "Connections and requests turned away, by cause",
                                    {{"server", server}, {"cause", kNames[i]}});
  }
}

}  // namespace aiserve::inline v0::http::detail
