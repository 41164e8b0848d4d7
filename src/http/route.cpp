#include "http/route.hpp"

#include <utility>

namespace aiserve::inline v0::http::detail {

RouteMetrics::RouteMetrics(Metrics& metrics, std::string server, std::string route,
                           std::string method)
    : metrics_(metrics),
      server_(std::move(server)),
      route_(std::move(route)),
      method_(std::move(method)),
      seconds_(metrics.histogram("aiserve_http_request_seconds",
                                 "Time from the end of a request's head to its answer",
                                 {{"server", server_}, {"route", route_}, {"method", method_}})) {}

void RouteMetrics::count(int status, Duration took) noexcept {
  seconds_.observe(took);
  if (Counter* const requests = counter(status)) requests->inc();
}

Counter* RouteMetrics::counter(int status) noexcept {
  if (status < kFirst || status > kLast) return nullptr;
  auto& slot = by_status_[static_cast<std::size_t>(status - kFirst)];
  if (Counter* known = slot.load(std::memory_order_acquire)) return known;
  try {
    Counter& made = metrics_.counter("aiserve_http_requests_total", "Requests answered",
                                     {{"server", server_},
                                      {"route", route_},
                                      {"method", method_},
                                      {"status", std::to_string(status)}});
    slot.store(&made, std::memory_order_release);
    return &made;
  } catch (...) {
    return nullptr;  // out of memory: the request counts for more than its count
  }
}

}  // namespace aiserve::inline v0::http::detail
