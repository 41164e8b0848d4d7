// Content types of files by their names' extensions.
#pragma once

#include <string_view>

namespace aiserve::inline v0::http::detail {

// "application/octet-stream" for what isn't known.
std::string_view media_type_of(std::string_view file_name) noexcept;
// What stands behind the last dot; empty if there is none.
std::string_view extension_of(std::string_view file_name) noexcept;

}  // namespace aiserve::inline v0::http::detail
