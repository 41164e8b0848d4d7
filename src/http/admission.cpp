// What a session does when there is more to do than there is room for.
#include <algorithm>

#include "http/client_network.hpp"
#include "http/http_thread.hpp"
#include "http/session.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

// Nobody knows when a place will be free; at once is certainly too early.
constexpr std::chrono::seconds kRetryAfter{1};

}  // namespace

// Before the body is read: what cannot be worked on in time costs nothing more.
bool Session::admit(Exchange& exchange) {
  const Route& route = *exchange.route;
  if (!route.plain()) {
    if (!spare_place_ && core_.places.full())
      return shed(exchange, Refusals::Cause::max_requests, kRetryAfter);
    if (route.places.full()) return shed(exchange, Refusals::Cause::max_concurrent, kRetryAfter);
    if (!take_tenant_place(exchange)) return false;
  }
  if (!route.estimate) return true;
  const Duration wait = route.estimate();
  if (wait < exchange.deadline.remaining(thread_.clock_now())) return true;
  return shed(exchange, Refusals::Cause::estimate, wait);
}

// Before the body is read: whoever sends slowly takes room from nobody but itself.
bool Session::take_tenant_place(Exchange& exchange) {
  if (std::holds_alternative<WebSocketEndpoint>(exchange.route->endpoint)) return true;
  const Tenant& tenant = exchange.context->tenant();
  const std::size_t limit =
      tenant.limits().max_in_flight.value_or(core_.options.max_requests_per_tenant);
  if (limit == 0) return true;
  exchange.tenant_place =
      tenant.is_anonymous()
          ? core_.tenant_places.take('c', client_network(exchange.request.client()), limit)
          : core_.tenant_places.take('t', tenant.id().view(), limit);
  if (exchange.tenant_place) return true;
  core_.refusals.count(Refusals::Cause::max_requests_per_tenant);
  const Error error =
      Error(Errc::rate_limited, "too many requests at a time").retry_after(kRetryAfter);
  respond(exchange, problem(*exchange.context, error));
  return false;
}

// A place for a handler that will run for a while. Plain ones have ended before anybody else asks.
bool Session::take_place(Exchange& exchange) {
  if (!take_server_place(exchange)) return false;
  if (!exchange.route->places.limited()) return true;
  exchange.route_place = exchange.route->places.take();
  if (!exchange.route_place) {
    exchange.server_place = Places::Pass();
    return shed(exchange, Refusals::Cause::max_concurrent, kRetryAfter);
  }
  return true;
}

bool Session::take_server_place(Exchange& exchange) {
  exchange.server_place = spare_place_ ? std::move(spare_place_) : core_.places.take();
  return exchange.server_place || shed(exchange, Refusals::Cause::max_requests, kRetryAfter);
}

// Always false.
bool Session::shed(Exchange& exchange, Refusals::Cause cause, Duration retry_after) {
  core_.refusals.count(cause);
  const auto delay = std::chrono::ceil<std::chrono::milliseconds>(retry_after);
  const char* const why = cause == Refusals::Cause::estimate
                              ? "the request would wait for longer than it may take"
                              : "too many requests are being worked on";
  const Error error = Error(Errc::overloaded, why)
                          .retry_after(std::max<std::chrono::milliseconds>(delay, kRetryAfter));
  respond(exchange, problem(*exchange.context, error));
  return false;
}

}  // namespace aiserve::inline v0::http::detail
