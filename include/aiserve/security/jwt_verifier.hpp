/// JwtVerifier: access tokens that are JSON Web Tokens (RFC 7519, RFC 9068), signed by one issuer.
///
/// RS, PS and ES 256 to 512 and EdDSA; HS only when allowed. The key decides the algorithm, never
/// the token alone; what the header says of keys (jwk, jku, x5u) is not looked at. iss, aud and exp
/// are required, nbf and typ checked, crit refused, duplicate members and anything but canonical
/// base64url refused. Verified tokens are remembered by their SHA-256 until they expire, so that
/// most requests cost a look-up. Time is the Runtime's Clock.
///
/// Keys come as a JWK Set (RFC 7517) from a file, which is read again when it changes, or from a
/// function that fetches it: cached, renewed in the background, used on while the issuer is down,
/// and asked for once per cool_down however many unknown keys are shown. See docs/auth.md. *Thread
/// safety:* any thread. *Errors:* as TokenVerifier; the constructor throws ConfigError, also for a
/// file that holds no keys.
///
///     JwtVerifier tokens(runtime, {.issuer = "https://id.example", .audience = "classifier",
///                                  .jwks_path = "jwks.json"});
///     server.before(http::authenticate(tokens));
#pragma once

#include <aiserve/core/runtime.hpp>
#include <aiserve/security/token_verifier.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace aiserve::inline v0 {

/// Gets the text of a JWK Set from wherever it is kept. Called on an I/O thread; its Context has
/// JwtVerifierOptions::fetch_timeout as deadline, which it must obey.
using FetchKeys = std::function<Async<std::string>(const Context&)>;

struct JwtVerifierOptions {
  /// What `iss` must say, character by character.
  std::string issuer{};
  /// What `aud` must say, or hold.
  std::string audience{};
  /// File with the issuer's JWK Set. Exactly one of this and fetch_keys must be given.
  std::string jwks_path{};
  FetchKeys fetch_keys{};

  /// Names of the algorithms that are taken. Empty: all but HS256, HS384 and HS512.
  std::vector<std::string> algorithms{};
  /// Takes shared secrets (kty oct) and HS algorithms, and nothing else beside them.
  bool hmac = false;
  /// Takes only tokens that say they are access tokens (`typ` at+jwt, RFC 9068 section 4). Off:
  /// also JWT, and tokens that don't say.
  bool access_tokens_only = false;
  /// The claim that names the tenant. By default each subject is a tenant of its own, so that
  /// nobody sees another's data. A token without it is refused.
  std::string tenant_claim = "sub";
  /// Further claims to keep, for Principal::claim().
  std::vector<std::string> claims{};
  /// By how much the clocks of issuer and host may differ, 0 to 10 min.
  std::chrono::seconds leeway{30};
  /// Bytes of a token, 256 to 64 KiB.
  std::size_t max_token = 8 * 1024;
  /// Verified tokens that are remembered, about 1 KiB each, at most 10 million; 0: none.
  std::size_t max_cached = 10'000;

  /// Age at which keys are fetched again, 1 s to 24 h; of a file: how often it is looked at.
  std::chrono::seconds refresh_after{300};
  /// Age up to which keys are used that cannot be fetched again, at least refresh_after. Files
  /// don't age.
  std::chrono::seconds max_stale{std::chrono::hours(24)};
  /// Between two fetches, whatever is asked for, 1 s to 1 h. New keys of the issuer may have to
  /// wait that long for their first use.
  std::chrono::seconds cool_down{10};
  /// Of one fetch, 100 ms to 60 s.
  std::chrono::milliseconds fetch_timeout{5'000};
  /// Bytes of a JWK Set, at least 64.
  std::size_t max_jwks = 1024 * 1024;
};

class JwtVerifier final : public TokenVerifier {
 public:
  JwtVerifier(Runtime& runtime, JwtVerifierOptions options);
  /// Shuts the Runtime down first if it still runs.
  ~JwtVerifier() override;
  JwtVerifier(const JwtVerifier&) = delete;
  JwtVerifier& operator=(const JwtVerifier&) = delete;

  std::optional<Result<Principal>> try_verify(std::string_view token) override;
  Async<Principal> verify(const Context& ctx, std::string_view token) override;

  /// Keys in use.
  std::size_t keys() const;
  /// Verified tokens that are remembered.
  std::size_t cached() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aiserve::inline v0
