/// Cookies: what a client sent, and what it is to keep (RFC 6265, with the SameSite attribute and
/// the name prefixes of its successor, draft-ietf-httpbis-rfc6265bis).
///
/// A cookie set here is Secure, HttpOnly and SameSite=Lax unless its options say otherwise. A value
/// is never encoded nor decoded: what holds other characters than a cookie may, encode before.
/// *Thread safety:* as the Request's and the Response's. *Errors:* set_cookie() gives
/// invalid_argument for a name, value or attribute that could not be sent as one cookie, and for
/// what browsers refuse: SameSite=None without Secure, a __Host- cookie with a domain.
///
///     server.post("/login", [&](const Context&, const http::Request& request)
///                               -> Result<http::Response> {
///       http::Response response = http::see_other("/");
///       const std::string session = open_session(request);
///       Result<void> set = http::set_cookie(response, "__Host-session", session);
///       if (!set) return set.error();
///       return response;
///     });
#pragma once

#include <aiserve/core/result.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aiserve::inline v0::http {

class Request;
class Response;

enum class SameSite : std::uint8_t { strict, lax, none };

struct CookieOptions {
  /// How long it is kept, 0 (remove it now) to 400 days. Default: until the browser is closed.
  std::optional<std::chrono::seconds> max_age{};
  /// Below which path it is sent. Begins with '/'.
  std::string path = "/";
  /// Default: the host that set it, and no other. With a domain its subdomains get it, too.
  std::string domain{};
  /// Over https only.
  bool secure = true;
  /// Not to be read by scripts.
  bool http_only = true;
  /// Whether requests that other sites make carry it: `strict` never, `lax` when a link is
  /// followed, `none` always.
  SameSite same_site = SameSite::lax;
};

/// All cookies of a request, in the order they came; views into it. What is no name=value is left
/// out; quotes around a value are not part of it.
std::vector<std::pair<std::string_view, std::string_view>> cookies(const Request& request);
/// The first of that name, which is compared exactly; nothing if there is none.
std::optional<std::string_view> cookie(const Request& request, std::string_view name);

/// Adds a Set-Cookie field.
Result<void> set_cookie(Response& response, std::string_view name, std::string_view value,
                        const CookieOptions& options = {});
/// Makes the client forget it. Path and domain must be those it was set with.
Result<void> remove_cookie(Response& response, std::string_view name, CookieOptions options = {});

}  // namespace aiserve::inline v0::http
