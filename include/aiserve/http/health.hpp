/// Health handlers for load balancers and orchestrators.
///
/// live() answers 200 as long as the I/O threads turn. ready() answers 200 while the Runtime and
/// all its components are ready, else 503 with the reasons: it turns false at the first step of a
/// shutdown.
/// *Thread safety:* any thread; the Runtime must outlive the handler.
///
///     server.get("/health/live", http::live()).get("/health/ready", http::ready(runtime));
///     // 503 {"status":"not ready","reasons":["classifier: loading"]}
#pragma once

#include <aiserve/http/handler.hpp>

namespace aiserve::inline v0 {
class Runtime;
}

namespace aiserve::inline v0::http {

detail::PlainHandler live();
detail::PlainHandler ready(const Runtime& runtime);

}  // namespace aiserve::inline v0::http
