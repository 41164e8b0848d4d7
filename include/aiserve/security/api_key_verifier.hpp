/// ApiKeyVerifier: long-lived keys of programs, of which only digests are kept.
///
/// make_api_key() makes 256 random bits; the text goes to its owner once, its SHA-256 is stored.
/// With so much randomness a plain hash is enough: there is nothing to guess. An owner may have two
/// live keys, so that one can be replaced without a gap. Changes are live.
/// *Thread safety:* any thread. *Errors:* try_verify() always answers: unauthenticated for a key
/// that is unknown, removed or expired; those of add() stand there.
///
///     ApiKey key = make_api_key("acme");  // key.text: for the owner, key.digest: for the store
///     ApiKeyVerifier keys(runtime, {{.digest = key.digest, .owner = "robot", .scopes =
///     {"infer"}}}); server.before(http::authenticate(keys, {.field = "X-API-Key"}));
#pragma once

#include <aiserve/core/runtime.hpp>
#include <aiserve/security/token_verifier.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aiserve::inline v0 {

struct ApiKey {
  std::string text;    ///< "acme_" and 43 characters; secret
  std::string digest;  ///< 64 hexadecimal digits
};

/// From OpenSSL's generator. The prefix tells people, and those who scan for leaked secrets, whose
/// key it is: 1 to 32 letters and digits. Throws ConfigError for another one.
ApiKey make_api_key(std::string_view prefix = "key");
/// What ApiKey::digest is of a key's text.
std::string api_key_digest(std::string_view text);

struct ApiKeySpec {
  std::string digest{};
  /// Principal::subject(): a user or a program.
  std::string owner{};
  /// Default: the anonymous tenant.
  TenantId tenant{};
  std::vector<std::string> scopes{};
  WallTime expires = WallTime::max();
};

class ApiKeyVerifier final : public TokenVerifier {
 public:
  /// Live keys that an owner may have.
  static constexpr std::size_t kKeysPerOwner = 2;

  /// Throws ConfigError for a key that add() would refuse.
  explicit ApiKeyVerifier(Runtime& runtime, std::vector<ApiKeySpec> keys = {});
  ~ApiKeyVerifier() override;
  ApiKeyVerifier(const ApiKeyVerifier&) = delete;
  ApiKeyVerifier& operator=(const ApiKeyVerifier&) = delete;

  std::optional<Result<Principal>> try_verify(std::string_view token) override;
  Async<Principal> verify(const Context& ctx, std::string_view token) override;

  /// Errors: invalid_argument for a digest that is none or an empty owner, already_exists,
  /// conflict when the owner has two keys that are live.
  Result<void> add(ApiKeySpec key);
  /// True if it was there; it is refused from now on.
  bool remove(std::string_view digest);
  /// Keys, live and expired.
  std::size_t size() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aiserve::inline v0
