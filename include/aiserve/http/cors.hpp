/// CORS (Fetch standard, section 3.2): which pages of other origins may read what a server answers.
///
/// Origins are compared byte by byte with an exact list: no patterns, no suffixes, so that no
/// look-alike gets in. Preflights are answered from the routes there are, before any before hook.
/// Every answer says Vary: Origin, refusals and 404 too.
/// *Thread safety:* wiring. *Errors:* ConfigError for an origin that is none, and for "*" together
/// with credentials.
///
///     server.cors({.origins = {"https://app.example"}, .headers = {"Authorization"}});
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace aiserve::inline v0::http {

struct CorsOptions {
  /// "https://app.example", "http://localhost:3000": scheme, host, and port if it is not the
  /// scheme's. Or {"*"} alone: everybody, without credentials. "null" cannot be allowed: anybody
  /// can have that origin.
  std::vector<std::string> origins{};
  /// Cookies and other credentials of the browser may come along. Tokens that a page sends itself
  /// in Authorization don't need it.
  bool credentials = false;
  /// Request fields beyond the harmless ones that pages may send.
  std::vector<std::string> headers{"Content-Type"};
  /// Response fields beyond the harmless ones that pages may read.
  std::vector<std::string> exposed{};
  /// For how long a browser may remember a preflight, at least 0; browsers have limits of their
  /// own.
  std::chrono::seconds max_age{600};
};

}  // namespace aiserve::inline v0::http
