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

namespace {

bool can_be_wrapped(const Route& route) noexcept {
  return route.plain() || std::holds_alternative<AsyncHandler>(route.endpoint);
}

AsyncHandler as_async(Endpoint&& endpoint) {
  if (auto* handler = std::get_if<AsyncHandler>(&endpoint)) return std::move(*handler);
  return [plain = std::move(std::get<PlainHandler>(endpoint))](
             const Context& ctx, const Request& request) -> Async<Response> {
    co_return plain(ctx, request);
  };
}

// Lies in its route for as long as the server lives, so that what it returns may refer to it.
struct Layer {
  AroundHook hook;
  Next next;

  Async<Response> operator()(const Context& ctx, const Request& request) const {
    return hook(ctx, request, next);
  }
};

}  // namespace

void check_hooks(const Route& route) {
  if (route.hooks.around().empty() || can_be_wrapped(route)) return;
  throw ConfigError("http: " + route.pattern + " streams, and cannot have around hooks");
}

void wrap(Route& route, const std::vector<AroundHook>& of_server) {
  std::vector<AroundHook> hooks = of_server;
  hooks.insert(hooks.end(), route.hooks.around().begin(), route.hooks.around().end());
  if (hooks.empty() || !can_be_wrapped(route)) return;
  AsyncHandler handler = as_async(std::move(route.endpoint));
  for (auto hook = hooks.rbegin(); hook != hooks.rend(); ++hook) {
    handler = Layer{std::move(*hook), Next(std::move(handler))};
  }
  route.endpoint = std::move(handler);
}

}  // namespace aiserve::inline v0::http::detail
