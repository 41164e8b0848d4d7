#include "aiserve/core/principal.hpp"

#include <algorithm>

namespace aiserve::inline v0 {
namespace {

PrincipalSpec ordered(PrincipalSpec spec) {
  std::sort(spec.scopes.begin(), spec.scopes.end());
  spec.scopes.erase(std::unique(spec.scopes.begin(), spec.scopes.end()), spec.scopes.end());
  return spec;
}

}  // namespace

Principal::Principal(PrincipalSpec spec)
    : data_(std::make_shared<const PrincipalSpec>(ordered(std::move(spec)))) {}

const PrincipalSpec& Principal::data() const noexcept {
  static const PrincipalSpec nobody;
  return data_ != nullptr ? *data_ : nobody;
}

bool Principal::has_scope(std::string_view scope) const noexcept {
  return std::binary_search(scopes().begin(), scopes().end(), scope);
}

std::optional<std::string_view> Principal::claim(std::string_view name) const noexcept {
  for (const auto& [key, value] : data().claims) {
    if (key == name) return value;
  }
  return std::nullopt;
}

}  // namespace aiserve::inline v0
