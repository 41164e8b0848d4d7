// The options of a client, as they may be.
#pragma once

#include "aiserve/http/client_options.hpp"

namespace aiserve::inline v0::http::detail {

// Throws ConfigError.
ClientOptions checked(ClientOptions options);

}  // namespace aiserve::inline v0::http::detail
