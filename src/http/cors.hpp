// What CORS adds to a response.
#pragma once

#include "aiserve/http/cors.hpp"
#include "aiserve/http/hooks.hpp"

namespace aiserve::inline v0::http::detail {

// ConfigError for options that cannot work.
AfterHook cors_hook(const CorsOptions& options);

}  // namespace aiserve::inline v0::http::detail
