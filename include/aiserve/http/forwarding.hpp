/// How a proxy in front of a Server says who its client is (ServerOptions::trusted_proxies).
///
/// *Thread safety:* values. *Errors:* none.
///
///     http::Server server(runtime, {.trusted_proxies = {"10.0.0.0/8"},
///                                   .forwarded_by = http::ForwardedBy::forwarded});
#pragma once

#include <cstdint>

namespace aiserve::inline v0::http {

/// The one field that the proxies write. Others are not looked at: who writes one of them passes on
/// what a client has put into the other.
enum class ForwardedBy : std::uint8_t {
  x_forwarded_for,  ///< X-Forwarded-For and X-Forwarded-Proto
  forwarded         ///< Forwarded (RFC 7239)
};

}  // namespace aiserve::inline v0::http
