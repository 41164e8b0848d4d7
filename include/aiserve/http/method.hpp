/// Method: the request methods the server routes. Every other token is answered with 501.
/// *Thread safety:* a value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace aiserve::inline v0::http {

enum class Method : std::uint8_t { get, head, post, put, patch, del, options };
inline constexpr std::size_t kMethods = 7;

/// "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS".
constexpr std::string_view name(Method method) noexcept {
  constexpr std::string_view kNames[kMethods] = {"GET",   "HEAD",   "POST",   "PUT",
                                                 "PATCH", "DELETE", "OPTIONS"};
  return kNames[static_cast<std::size_t>(method)];
}

/// RFC 9110 section 9.2.1: safe requests of one connection may be worked on at the same time.
constexpr bool is_safe(Method method) noexcept {
  return method == Method::get || method == Method::head || method == Method::options;
}

}  // namespace aiserve::inline v0::http
