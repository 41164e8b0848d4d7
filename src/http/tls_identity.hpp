// What the certificate of a TLS client says.
#pragma once

#include <optional>

#include "aiserve/http/tls.hpp"

struct ssl_st;

namespace aiserve::inline v0::http::detail {

// Nothing if the client showed no certificate, or one that was not verified.
std::optional<ClientCertificate> identity_of(const ssl_st& ssl);

}  // namespace aiserve::inline v0::http::detail
