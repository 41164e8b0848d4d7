#include "aiserve/http/redirect.hpp"

#include <algorithm>

#include "http/char_class.hpp"

namespace aiserve::inline v0::http {

Response redirect(std::string_view location, int status) {
  const bool known = (status >= 301 && status <= 303) || status == 307 || status == 308;
  return Response(known ? status : 0).header("Location", location);
}

bool is_local_target(std::string_view location) noexcept {
  if (!location.starts_with('/') || location.starts_with("//")) return false;
  return std::all_of(location.begin(), location.end(), [](char c) {
    return (detail::is(c, detail::kTarget) || c == '#') && c != '\\';
  });
}

Response redirect_within(std::string_view location, std::string_view fallback, int status) {
  return redirect(is_local_target(location) ? location : fallback, status);
}

}  // namespace aiserve::inline v0::http
