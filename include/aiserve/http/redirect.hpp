/// Redirects: answers that say where else to ask (RFC 9110 section 15.4).
///
/// *Thread safety:* plain functions. *Errors:* none; what cannot be is answered with 500, like any
/// response that cannot be sent.
///
///     server.get("/old/{id}", [](const Context&, const http::Request& request) {
///       return http::redirect("/new/" + std::string(request.param("id")), 308);
///     });
#pragma once

#include <aiserve/http/response.hpp>

#include <string_view>

namespace aiserve::inline v0::http {

/// 301 moved for good, 302 found, 303 go there with GET, 307 and 308 the same request there, for
/// now and for good. `location` is taken as it is: never what a client has sent; see below.
Response redirect(std::string_view location, int status = 303);

/// True if it stays on this server: a path, perhaps with a query, that no browser takes for another
/// host ("//evil.example", "/\evil.example").
bool is_local_target(std::string_view location) noexcept;
/// Where a client asked to go on (?next=/inbox), as far as that is here; else to `fallback`.
Response redirect_within(std::string_view location, std::string_view fallback = "/",
                         int status = 303);

}  // namespace aiserve::inline v0::http
