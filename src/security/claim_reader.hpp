// ClaimReader: claims out of a JSON object, as tokens and introspection answers have them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "aiserve/core/deadline.hpp"
#include "aiserve/core/tenant.hpp"

namespace aiserve::inline v0::detail {

/// A NumericDate (RFC 7519 section 2): seconds since 1970, whole or not, from 0 to the end of the
/// year 9999; what WallTime cannot hold is its maximum. Nothing for anything else.
std::optional<WallTime> numeric_date(const nlohmann::json& value);

class ClaimReader {
 public:
  /// `claims` is an object and outlives this.
  explicit ClaimReader(const nlohmann::json& claims) noexcept : claims_(claims) {}

  bool has(const char* name) const;
  /// Nothing if it is missing or no text.
  std::optional<std::string> text(const char* name) const;
  std::optional<WallTime> date(const char* name) const;
  /// True if `aud` is, or holds, that audience.
  bool is_for(std::string_view audience) const;
  /// `scope` (RFC 8693 section 4.2) and `scp`, each as a text with spaces or an array.
  std::vector<std::string> scopes() const;
  std::vector<std::pair<std::string, std::string>> kept(
      const std::vector<std::string>& names) const;
  /// Nothing if that claim is missing or cannot be a tenant's id.
  std::optional<TenantId> tenant(const std::string& claim) const;

 private:
  const nlohmann::json& claims_;
};

}  // namespace aiserve::inline v0::detail
