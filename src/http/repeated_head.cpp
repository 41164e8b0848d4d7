#include "http/repeated_head.hpp"

#include <algorithm>

namespace aiserve::inline v0::http::detail {
namespace {

void copy(const Head& from, Head& to) noexcept {
  static_cast<HeadInfo&>(to) = from;
  std::copy_n(from.headers.begin(), from.header_count, to.headers.begin());
}

}  // namespace

void RepeatedHead::keep(const RequestState& state) noexcept {
  const char* const end = state.base + state.head.bytes;
  if (state.path.data() < state.base || state.path.data() >= end) return forget();
  bytes_ = {state.base, state.head.bytes};
  path_ = {static_cast<std::uint16_t>(state.path.data() - state.base),
           static_cast<std::uint16_t>(state.path.size())};
  copy(state.head, head_);
}

bool RepeatedHead::repeat(std::string_view input, RequestState& state) const noexcept {
  if (bytes_.empty() || !input.starts_with(bytes_)) return false;
  copy(head_, state.head);
  state.base = input.data();
  state.path = path_.in(input.data());
  return true;
}

}  // namespace aiserve::inline v0::http::detail
