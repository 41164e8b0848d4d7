// Tokens and key sets: whatever the bytes, reading ends and nothing is taken that was not signed.
// The input is a token, or, behind a zero byte, the text of a key set.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "security/base64url.hpp"
#include "security/jwk_set.hpp"
#include "security/jws.hpp"
#include "security/jwt_claims.hpp"

namespace {

using namespace aiserve;
using namespace aiserve::detail;

void demand(bool held) {
  if (!held) std::abort();
}

// Two keys whose private halves nobody has: of RFC 7517, appendix A.1.
const JwkSet& keys() {
  static const Result<JwkSet> set = JwkSet::parse(
      R"({"keys":[{"kty":"EC","crv":"P-256","kid":"1",)"
      R"("x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",)"
      R"("y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"},)"
      R"({"kty":"RSA","alg":"RS256","kid":"2","e":"AQAB",)"
      R"("n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tS)"
      R"(oc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0)"
      R"(_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4)"
      R"(vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"}]})",
      {});
  return set.value();
}

void try_token(std::string_view token) {
  const Result<Jws> jws = parse_jws(token);
  if (!jws) return;
  // What is taken apart can be put together again, in one way.
  const std::size_t end = token.rfind('.');
  demand(jws->signed_text == token.substr(0, end));
  demand(to_base64url(jws->signature) == token.substr(end + 1));
  const Jwk* const key = keys().find(jws->key_id, jws->algorithm);
  if (key != nullptr) demand(!key->verify(jws->algorithm, jws->signed_text, jws->signature));
  const ClaimRules rules{.issuer = "i", .audience = "a", .tenant_claim = "sub", .kept = {"x"}};
  (void)check_type(jws->type, rules);
  const Result<Principal> who = read_claims(jws->payload, rules, WallTime(std::chrono::hours(1)));
  if (who.ok()) demand(!who->tenant().empty() && who->expires() > WallTime(std::chrono::hours(1)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (!text.starts_with('\0')) {
    try_token(text);
    return 0;
  }
  const Result<JwkSet> set = JwkSet::parse(text.substr(1), {.secrets = true});
  if (set.ok()) demand(set->size() >= 1 && set->size() <= 100);
  return 0;
}
