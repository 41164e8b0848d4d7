#include "aiserve/http/middleware.hpp"

#include <utility>

#include "aiserve/core/context.hpp"
#include "aiserve/core/log.hpp"

namespace aiserve::inline v0::http {
namespace {

void set_if_absent(Response& response, std::string_view name, std::string_view value) {
  if (!value.empty() && response.header(name).empty()) response.header(name, value);
}

}  // namespace

detail::AfterHook security_headers(SecurityHeaders options) {
  std::string transport;
  if (const auto age = options.strict_transport.count(); age > 0) {
    transport = "max-age=" + std::to_string(age);
  }
  return [policy = std::move(options.content_policy), transport = std::move(transport)](
             const Context&, const Request& request, Response& response) {
    set_if_absent(response, "X-Content-Type-Options", "nosniff");
    set_if_absent(response, "X-Frame-Options", "DENY");
    set_if_absent(response, "Referrer-Policy", "no-referrer");
    if (response.header("Content-Type") != "text/event-stream") {
      set_if_absent(response, "Content-Security-Policy", policy);
    }
    if (request.scheme() == "https") {
      set_if_absent(response, "Strict-Transport-Security", transport);
    }
  };
}

detail::AfterHook request_id_header(std::string field) {
  return [field = std::move(field)](const Context& ctx, const Request&, Response& response) {
    response.header(field, ctx.request_id());
  };
}

detail::AfterHook access_log(Logger& logger) {
  return [&logger](const Context& ctx, const Request& request, Response& response) {
    logger.info(ctx, "http: answered",
                {{"method", name(request.method())},
                 {"route", request.route()},
                 {"path", request.path()},
                 {"status", response.status()},
                 {"client", request.client()},
                 {"bytes", response.body().size()}});
  };
}

}  // namespace aiserve::inline v0::http
