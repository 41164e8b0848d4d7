#include "aiserve/http/client_response.hpp"

#include "http/char_class.hpp"

namespace aiserve::inline v0::http {

std::string_view ClientResponse::header(std::string_view name) const noexcept {
  for (const auto& [key, value] : fields_) {
    if (detail::iequals(key, name)) return value;
  }
  return {};
}

}  // namespace aiserve::inline v0::http
