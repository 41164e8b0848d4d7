// The parameters of a typed request: path, query and header texts into described members.
#pragma once

#include "aiserve/http/described_type.hpp"
#include "aiserve/http/json_limits.hpp"
#include "aiserve/http/request.hpp"
#include "http/field_errors.hpp"

namespace aiserve::inline v0::http::detail {

// All of them; what doesn't fit is added to `errors`. False: no room for more errors.
bool read_parameters(const ObjectType& type, const Request& request, const JsonLimits& limits,
                     FieldErrors& errors, void* value);

}  // namespace aiserve::inline v0::http::detail
