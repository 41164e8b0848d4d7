#include "aiserve/http/metrics.hpp"

#include "aiserve/core/telemetry.hpp"

namespace aiserve::inline v0::http {

detail::PlainHandler metrics(Telemetry& telemetry) {
  return [&telemetry](const Context&, const Request&) {
    Response response;
    response.body(telemetry.metrics().prometheus(), "text/plain; version=0.0.4; charset=utf-8");
    return response;
  };
}

}  // namespace aiserve::inline v0::http
