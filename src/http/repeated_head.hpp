// RepeatedHead: the head of the request before, while its bytes are in the read buffer. Whoever
// pipelines sends much the same again and again, and the same bytes parse to the same head.
#pragma once

#include <string_view>

#include "http/request_state.hpp"

namespace aiserve::inline v0::http::detail {

class RepeatedHead {
 public:
  // `state` was parsed from a head whose bytes stay until forget(), and is bound to it. Only what
  // has a path that needs no decoding is kept.
  void keep(const RequestState& state) noexcept;
  void forget() noexcept { bytes_ = {}; }
  // True if `input` begins with the same head, to which `state` is bound then.
  bool repeat(std::string_view input, RequestState& state) const noexcept;

 private:
  std::string_view bytes_;  // empty: none
  Span path_;
  Head head_;
};

}  // namespace aiserve::inline v0::http::detail
