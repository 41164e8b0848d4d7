#include "aiserve/http/json.hpp"

#include "core/json_guard.hpp"

namespace aiserve::inline v0::http {

Result<nlohmann::json> request_json(const Request& request) {
  const std::string type = request.content_type();
  if (type != "application/json" && !type.ends_with("+json")) {
    return Error(Errc::invalid_argument, "the body must be application/json");
  }
  return v0::detail::parse_json(request.text());
}

Response json(const nlohmann::json& value) {
  using Handler = nlohmann::json::error_handler_t;
  return json(value.dump(-1, ' ', false, Handler::replace));
}

}  // namespace aiserve::inline v0::http
