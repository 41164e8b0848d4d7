// The id by which a proxy in front already knows a request.
#pragma once

#include <cstddef>
#include <string_view>

namespace aiserve::inline v0::http::detail {

struct RequestState;

inline constexpr std::size_t kLongestRequestId = 128;

// 1 to 128 letters, digits and -._~+/=:;@ : what every maker of ids writes, and nothing that a log,
// a header or a shell could take for something else.
bool is_request_id(std::string_view text) noexcept;

// What the one field of that name says, if it says an id; empty if not, and if there are two.
std::string_view request_id_in(const RequestState& state, std::string_view field) noexcept;

}  // namespace aiserve::inline v0::http::detail
