/// Opt-in: request and response bodies as nlohmann::json. The one public header that includes it.
///
/// request_json() reads strictly: nesting beyond 64, NUL bytes, duplicate keys, invalid UTF-8, NaN
/// and anything behind the value are refused with the position. The Content-Type must be
/// application/json or end in +json.
/// *Thread safety:* any thread.
/// *Errors:* malformed (400) for what is no JSON, invalid_argument (422) for another Content-Type.
///
///     const nlohmann::json body = http::request_json(request).value();
///     return http::json(nlohmann::json{{"label", 7}});
#pragma once

#include <aiserve/core/tensor.hpp>  // complete for overload resolution against nlohmann::json
#include <aiserve/http/request.hpp>
#include <aiserve/http/response.hpp>

#include <nlohmann/json.hpp>

namespace aiserve::inline v0::http {

Result<nlohmann::json> request_json(const Request& request);
/// Invalid UTF-8 in strings becomes U+FFFD.
Response json(const nlohmann::json& value);

}  // namespace aiserve::inline v0::http
