#include "security/claim_reader.hpp"

#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

namespace aiserve::inline v0::detail {
namespace {

using nlohmann::json;

constexpr double kYear10000 = 253402300800;

void add_words(std::string_view text, std::vector<std::string>& words) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end != 0) words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void add_scopes(const json& claims, const char* name, std::vector<std::string>& scopes) {
  const auto found = claims.find(name);
  if (found == claims.end()) return;
  if (found->is_string()) return add_words(found->get_ref<const std::string&>(), scopes);
  if (!found->is_array()) return;
  for (const json& element : *found) {
    if (element.is_string()) scopes.push_back(element.get<std::string>());
  }
}

}  // namespace

std::optional<WallTime> numeric_date(const json& value) {
  if (!value.is_number()) return std::nullopt;
  const double seconds = value.get<double>();
  if (!(seconds >= 0 && seconds < kYear10000)) return std::nullopt;
  const auto whole = static_cast<std::int64_t>(std::floor(seconds));
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max() / 1'000'000'000;
  if (whole >= kMax) return WallTime::max();
  return WallTime(std::chrono::seconds(whole));
}

bool ClaimReader::has(const char* name) const { return claims_.contains(name); }

std::optional<std::string> ClaimReader::text(const char* name) const {
  const auto found = claims_.find(name);
  if (found == claims_.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

std::optional<WallTime> ClaimReader::date(const char* name) const {
  const auto found = claims_.find(name);
  if (found == claims_.end()) return std::nullopt;
  return numeric_date(*found);
}

bool ClaimReader::is_for(std::string_view audience) const {
  const auto found = claims_.find("aud");
  if (found == claims_.end()) return false;
  if (!found->is_array()) return found->is_string() && *found == audience;
  bool named = false;
  for (const json& element : *found) {
    if (!element.is_string()) return false;
    named = named || element == audience;
  }
  return named;
}

std::vector<std::string> ClaimReader::scopes() const {
  std::vector<std::string> scopes;
  add_scopes(claims_, "scope", scopes);
  add_scopes(claims_, "scp", scopes);
  return scopes;
}

std::vector<std::pair<std::string, std::string>> ClaimReader::kept(
    const std::vector<std::string>& names) const {
  std::vector<std::pair<std::string, std::string>> kept;
  for (const std::string& name : names) {
    const auto found = claims_.find(name);
    if (found == claims_.end()) continue;
    kept.emplace_back(name, found->is_string() ? found->get<std::string>() : found->dump());
  }
  return kept;
}

std::optional<TenantId> ClaimReader::tenant(const std::string& claim) const {
  const std::optional<std::string> name = text(claim.c_str());
  if (!name) return std::nullopt;
  Result<TenantId> id = TenantId::parse(*name);
  if (!id) return std::nullopt;
  return std::move(*id);
}

}  // namespace aiserve::inline v0::detail
