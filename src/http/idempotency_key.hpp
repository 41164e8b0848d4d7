// The field Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a string of RFC 8941; bare
// ones are common and taken, too.
#pragma once

#include <optional>
#include <string>

#include "aiserve/core/result.hpp"
#include "aiserve/http/request.hpp"

namespace aiserve::inline v0::http::detail {

// Nothing if there is no such field; invalid_argument if it is no key, or stands there twice.
Result<std::optional<std::string>> idempotency_key(const Request& request);

}  // namespace aiserve::inline v0::http::detail
