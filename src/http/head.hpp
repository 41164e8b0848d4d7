// The head of one request as offsets into the bytes it was parsed from, so that the bytes may be
// moved (out of the shared read buffer, into the request's own block) without parsing them again.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "aiserve/http/method.hpp"

namespace aiserve::inline v0::http::detail {

struct Span {
  std::uint16_t offset = 0;
  std::uint16_t size = 0;

  std::string_view in(const char* base) const noexcept { return {base + offset, size}; }
};

struct HeaderSpan {
  Span name;
  Span value;
};

// A head never exceeds 64 KiB - 1, so 16-bit offsets do.
inline constexpr std::size_t kMaxHeadBytes = 65'535;
inline constexpr std::size_t kMaxHeaders = 100;

struct HeadInfo {
  Method method = Method::get;
  bool http10 = false;
  bool keep_alive = true;
  bool chunked = false;
  bool expect_continue = false;
  bool upgrade = false;       // Connection: upgrade
  bool has_length = false;    // Content-Length was given
  bool has_trace = false;     // traceparent
  bool has_patience = false;  // Request-Timeout-Ms
  std::uint16_t header_count = 0;
  std::uint32_t bytes = 0;  // the whole head with its empty line
  std::uint64_t content_length = 0;
  Span target;  // as sent
  Span path;    // of the target, undecoded; empty for an absolute-form without path
  Span query;   // behind '?', undecoded
  Span host;    // of the Host field; empty only on HTTP/1.0

  bool has_body() const noexcept { return chunked || content_length != 0; }
};

struct Head : HeadInfo {
  std::array<HeaderSpan, kMaxHeaders> headers;  // the first header_count count
};

}  // namespace aiserve::inline v0::http::detail
