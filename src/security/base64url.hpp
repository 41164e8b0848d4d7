// base64url without padding (RFC 4648 section 5, RFC 7515 section 2), strictly: one text for each
// sequence of bytes, nothing else is taken.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace aiserve::inline v0::detail {

std::optional<std::string> from_base64url(std::string_view text);
std::string to_base64url(std::string_view bytes);

}  // namespace aiserve::inline v0::detail
