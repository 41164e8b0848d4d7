/// parse_json: JSON from outside, into nlohmann's type, without its traps.
///
/// Rejects, beside what no JSON is: nesting beyond the limit (deep values overflow the stack when
/// copied or dumped), NUL bytes (nlohmann stops there and calls it success), duplicate keys (last
/// wins silently), invalid UTF-8, NaN, infinities and numbers that overflow a double, anything
/// behind the value. A UTF-8 byte order mark in front is skipped.
/// *Thread safety:* any thread. *Errors:* malformed; the message says what and at which byte
/// (counted from 0) and is safe to show: it quotes nothing of the text.
///
///     Result<nlohmann::json> body = parse_json(text, {.max_depth = 8});
///     if (!body) return body.error();  // "duplicate key in JSON at byte 17"
#pragma once

#include <aiserve/core/result.hpp>

#include <cstddef>
#include <string_view>

#include <nlohmann/json.hpp>

namespace aiserve::inline v0::detail {

struct JsonLimits {
  /// Arrays and objects inside each other; 1 allows one flat container, 0 only scalars.
  std::size_t max_depth = 64;
  /// Values of any kind; each costs 16 bytes or more in memory for as few as 2 in the text.
  std::size_t max_values = 8'000'000;
};

Result<nlohmann::json> parse_json(std::string_view text, JsonLimits limits = {});

}  // namespace aiserve::inline v0::detail
