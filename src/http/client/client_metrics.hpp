// What a client counts.
#pragma once

#include <array>
#include <map>
#include <string>

#include "aiserve/core/deadline.hpp"
#include "aiserve/core/error.hpp"
#include "aiserve/core/metrics.hpp"

namespace aiserve::inline v0::http::detail {

class ClientMetrics {
 public:
  ClientMetrics(Metrics& metrics, const std::string& client);

  void answered(int status, Duration took) noexcept;
  void failed(Errc code, Duration took) noexcept;

  Counter& retries;         // calls repeated after a pause
  Counter& stale_retries;   // at once, because a kept connection had ended
  Counter& budget_refused;  // not repeated, because the budget was used up
  Counter& opened;          // connections
  Counter& reused;
  Counter& full;  // TLS handshakes
  Counter& resumed;
  Counter& breaker_opened;
  Gauge& idle;
  Gauge& busy;

 private:
  Histogram& seconds_;
  std::array<Counter*, 6> classes_{};  // by the first digit of the status
  std::map<Errc, Counter*> errors_;
};

}  // namespace aiserve::inline v0::http::detail
