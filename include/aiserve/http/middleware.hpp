/// Middleware: ready-made hooks for Server::before() and after(). They are ordinary functions;
/// write your own the same way.
///
/// *Thread safety:* any thread. *Errors:* none but where it says so.
///
///     server.after(http::security_headers()).after(http::request_id_header());
///     server.before([](const Context&, const http::Request& request) -> Result<void> {
///       if (request.header("X-Key") == "secret") return success();
///       return Error(Errc::unauthenticated, "a key is needed");
///     });
#pragma once

#include <aiserve/http/hooks.hpp>

#include <chrono>
#include <string>

namespace aiserve::inline v0 {
class Logger;
}

namespace aiserve::inline v0::http {

struct SecurityHeaders {
  /// Content-Security-Policy of answers that have none, but event streams. Default: what suits an
  /// API. Empty: none.
  std::string content_policy = "default-src 'none'; frame-ancestors 'none'";
  /// Strict-Transport-Security, sent over https only: browsers remember it for so long, 0: not
  /// sent.
  std::chrono::seconds strict_transport{0};
};

/// An after hook: X-Content-Type-Options, X-Frame-Options, Referrer-Policy and the above, where the
/// answer doesn't say otherwise.
detail::AfterHook security_headers(SecurityHeaders options = {});

/// An after hook: the request id, by which logs are searched, as a header field.
detail::AfterHook request_id_header(std::string field = "X-Request-Id");

/// An after hook: a line of each answer with method, route, path, status, client and bytes. The
/// path stands without its query, which may hold secrets. The logger must outlive the server.
detail::AfterHook access_log(Logger& logger);

}  // namespace aiserve::inline v0::http
