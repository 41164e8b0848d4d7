// Refusals: counts of the connections and requests that were turned away, by cause.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "aiserve/core/metrics.hpp"

namespace aiserve::inline v0::http::detail {

class Refusals {
 public:
  enum class Cause : std::uint8_t {
    estimate,        // the wait that a route's estimate foretells is too long
    handshake,       // TLS that failed, or took too long
    max_concurrent,  // of a route
    max_requests,    // of the server
    max_requests_per_tenant,
    peer_limit,
    plain_http,   // to a server that speaks TLS
    proxy_header  // missing or malformed
  };

  Refusals(Metrics& metrics, const std::string& server);

  void count(Cause cause) noexcept { counters_[static_cast<std::size_t>(cause)]->inc(); }

 private:
  static constexpr std::size_t kCauses = 8;

  std::array<Counter*, kCauses> counters_;
};

}  // namespace aiserve::inline v0::http::detail
