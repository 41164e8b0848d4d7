// write_json: a described value as JSON text, in the order of its description.
#pragma once

#include <string>

#include "aiserve/http/described_type.hpp"

namespace aiserve::inline v0::http::detail {

// Appends it. False if the value holds an enum value that has no name, or a variant without value.
bool write_json(const DescribedType& type, const void* value, std::string& out);

}  // namespace aiserve::inline v0::http::detail
