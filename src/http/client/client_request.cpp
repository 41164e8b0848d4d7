#include "aiserve/http/client_request.hpp"

#include <algorithm>
#include <array>

#include "http/char_class.hpp"

namespace aiserve::inline v0::http {
namespace {

using detail::iequals;

bool is_credential(std::string_view name) noexcept {
  constexpr std::array<std::string_view, 3> kNames{"authorization", "cookie",
                                                   "proxy-authorization"};
  return std::any_of(kNames.begin(), kNames.end(),
                     [name](std::string_view known) { return iequals(name, known); });
}

}  // namespace

ClientRequest& ClientRequest::header(std::string_view name, std::string_view value) {
  return set(name, value, is_credential(name));
}

ClientRequest& ClientRequest::credential(std::string_view name, std::string_view value) {
  return set(name, value, true);
}

ClientRequest& ClientRequest::bearer(std::string_view token) {
  return set("Authorization", "Bearer " + std::string(token), true);
}

ClientRequest& ClientRequest::idempotency_key(std::string_view key) {
  return set("Idempotency-Key", key, false);
}

ClientRequest& ClientRequest::query(std::string_view name, std::string_view value) {
  queries_.emplace_back(name, value);
  return *this;
}

ClientRequest& ClientRequest::body(Bytes bytes, std::string_view content_type) {
  body_ = std::move(bytes);
  source_.reset();
  return set("Content-Type", content_type, false);
}

ClientRequest& ClientRequest::body(ClientBody source, std::string_view content_type) {
  body_ = Bytes();
  source_ = std::move(source);
  return set("Content-Type", content_type, false);
}

bool ClientRequest::idempotent() const noexcept {
  if (method_ != Method::post && method_ != Method::patch) return true;
  return std::any_of(fields_.begin(), fields_.end(), [](const Field& field) {
    return iequals(field.name, "idempotency-key") && !field.value.empty();
  });
}

ClientRequest& ClientRequest::set(std::string_view name, std::string_view value, bool secret) {
  std::erase_if(fields_, [name](const Field& field) { return iequals(field.name, name); });
  fields_.push_back({std::string(name), std::string(value), secret});
  return *this;
}

}  // namespace aiserve::inline v0::http
