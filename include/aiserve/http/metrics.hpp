/// The handler for a Prometheus scrape (text format 0.0.4).
/// *Thread safety:* any thread; the Telemetry must outlive the handler.
///
///     admin.get("/metrics", http::metrics(telemetry));
#pragma once

#include <aiserve/http/handler.hpp>

namespace aiserve::inline v0 {
class Telemetry;
}

namespace aiserve::inline v0::http {

detail::PlainHandler metrics(Telemetry& telemetry);

}  // namespace aiserve::inline v0::http
