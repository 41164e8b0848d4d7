#include "http/request_id.hpp"

#include <algorithm>

#include "http/char_class.hpp"
#include "http/request_state.hpp"

namespace aiserve::inline v0::http::detail {

bool is_request_id(std::string_view text) noexcept {
  const auto allowed = [](char c) { return is(c, kToken68) || c == ':' || c == ';' || c == '@'; };
  return !text.empty() && text.size() <= kLongestRequestId &&
         std::all_of(text.begin(), text.end(), allowed);
}

std::string_view request_id_in(const RequestState& state, std::string_view field) noexcept {
  std::string_view id;
  for (std::size_t i = 0; i < state.head.header_count; ++i) {
    const HeaderSpan& span = state.head.headers[i];
    if (!iequals(span.name.in(state.base), field)) continue;
    const std::string_view said = span.value.in(state.base);
    if (!id.empty() || !is_request_id(said)) return {};
    id = said;
  }
  return id;
}

}  // namespace aiserve::inline v0::http::detail
