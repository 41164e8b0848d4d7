/// The handler that tells an operator what this process is and does, as JSON: version, commit,
/// effective options, pools, and of every component what it says of itself (a server: connections
/// and suspended requests with their age; a model: its BLAS). For a loopback server: it names
/// routes and request ids.
/// *Thread safety:* any thread; the Runtime must outlive the handler.
///
///     admin.get("/status", http::status(runtime));
#pragma once

#include <aiserve/http/handler.hpp>

namespace aiserve::inline v0 {
class Runtime;
}

namespace aiserve::inline v0::http {

detail::PlainHandler status(const Runtime& runtime);

}  // namespace aiserve::inline v0::http
