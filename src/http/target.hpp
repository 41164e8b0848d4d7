// Request targets: paths decoded once, so that what a route or a protected prefix is compared with
// is what the handler sees; query parameters decoded on demand.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace aiserve::inline v0::http::detail {

// Decodes the path of a request target. Gives a view of `raw` itself when nothing is encoded, else
// of `storage`. Refused (nullopt), because two readers could take them for different resources:
// "." and ".." segments, empty segments but the last, backslashes, encoded slashes, control
// characters (NUL too), invalid escapes, and what is not UTF-8 after decoding (overlong forms,
// surrogates), encoded or not.
std::optional<std::string_view> decode_path(std::string_view raw, std::string& storage);

// The first value of `name` in an application/x-www-form-urlencoded query ('+' is a space, an
// invalid escape stands for itself, as in the WHATWG URL standard); nullopt if it isn't there.
std::optional<std::string> query_value(std::string_view query, std::string_view name);

// All parameters of such a query, decoded, in their order, until `visit` returns false.
bool for_each_parameter(
    std::string_view query,
    const std::function<bool(const std::string& name, const std::string& value)>& visit);

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_valid_utf8(std::string_view text) noexcept;

}  // namespace aiserve::inline v0::http::detail
