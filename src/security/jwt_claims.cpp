#include "security/jwt_claims.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include "core/json_guard.hpp"
#include "security/claim_reader.hpp"

namespace aiserve::inline v0::detail {
namespace {

Error bad(const char* why) { return Error(Errc::unauthenticated, why); }

bool is_word(std::string_view text, std::string_view lower) noexcept {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == b;
  });
}

WallTime later(WallTime time, std::chrono::seconds by) noexcept {
  return time > WallTime::max() - by ? WallTime::max() : time + by;
}

Result<WallTime> check_times(const ClaimReader& claims, const ClaimRules& rules, WallTime now) {
  const std::optional<WallTime> expires = claims.date("exp");
  if (!expires) return bad("the token does not say when it expires");
  const WallTime end = later(*expires, rules.leeway);
  if (now >= end) return bad("the token has expired");
  for (const char* name : {"nbf", "iat"}) {
    if (claims.has(name) && !claims.date(name)) return bad("the token's times are malformed");
  }
  const std::optional<WallTime> begins = claims.date("nbf");
  if (begins && later(now, rules.leeway) < *begins) return bad("the token is not valid yet");
  return end;
}

}  // namespace

Result<void> check_type(std::string_view type, const ClaimRules& rules) {
  if (is_word(type, "at+jwt") || is_word(type, "application/at+jwt")) return success();
  if (!rules.access_tokens_only && (type.empty() || is_word(type, "jwt"))) return success();
  return bad("the token is of the wrong type");
}

Result<Principal> read_claims(std::string_view payload, const ClaimRules& rules, WallTime now) {
  const auto json = parse_json(payload, {.max_depth = 16, .max_values = 10'000});
  if (!json || !json->is_object()) return bad("the token's claims are no JSON object");
  const ClaimReader claims(*json);
  if (claims.text("iss") != rules.issuer) return bad("the token is of another issuer");
  if (!claims.is_for(rules.audience)) return bad("the token is for another audience");
  const Result<WallTime> end = check_times(claims, rules, now);
  if (!end) return end.error();
  std::optional<TenantId> tenant = claims.tenant(rules.tenant_claim);
  if (!tenant) return bad("the token does not name its tenant");
  PrincipalSpec spec;
  spec.subject = claims.text("sub").value_or(std::string());
  spec.tenant = std::move(*tenant);
  spec.scopes = claims.scopes();
  spec.expires = *end;
  spec.claims = claims.kept(rules.kept);
  return Principal(std::move(spec));
}

}  // namespace aiserve::inline v0::detail
