/// IntrospectionVerifier: opaque tokens, about which their issuer is asked (RFC 7662).
///
/// Answers are remembered for a while, good and bad ones apart, each within a bound; a token that
/// was revoked is believed for max_age at most. Those who show the same token at the same time wait
/// for one question, and one that leaves takes the answer from nobody. How the form gets to the
/// issuer, and with which credentials of this service, is the host's function.
/// *Thread safety:* any thread. *Errors:* as TokenVerifier; overloaded when max_in_flight questions
/// are on their way, or 4096 callers wait for those of others; the constructor throws ConfigError.
///
///     IntrospectionVerifier tokens(runtime, {.post = ask_issuer, .audience = "classifier"});
///     server.before(http::authenticate(tokens));
#pragma once

#include <aiserve/core/runtime.hpp>
#include <aiserve/security/token_verifier.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aiserve::inline v0 {

/// POSTs an application/x-www-form-urlencoded body to the issuer's introspection endpoint, gives
/// the body of its 200, and an error for all else. Called on an I/O thread; its Context has
/// IntrospectionOptions::timeout as deadline, which it must obey. The form outlives the operation.
using PostForm = std::function<Async<std::string>(const Context&, const std::string& form)>;

struct IntrospectionOptions {
  PostForm post{};
  /// What `iss` and `aud` must say, if they are to be looked at. Default: the issuer's answer
  /// counts.
  std::string issuer{};
  std::string audience{};
  /// As JwtVerifierOptions::tenant_claim and claims.
  std::string tenant_claim = "sub";
  std::vector<std::string> claims{};
  /// How long a good answer is believed, unless the token expires before: 0 to 1 h.
  std::chrono::seconds max_age{60};
  /// How long a token that is not active is refused unasked, 0 to 1 h.
  std::chrono::seconds refused_for{10};
  /// Answers that are remembered, good ones, and as many bad ones: at most 10 million.
  std::size_t max_cached = 10'000;
  /// Questions that may be on their way, 1 to 10,000.
  std::size_t max_in_flight = 64;
  /// Of one question, 100 ms to 60 s.
  std::chrono::milliseconds timeout{5'000};
  /// Bytes of a token, 1 to 64 KiB.
  std::size_t max_token = 8 * 1024;
};

class IntrospectionVerifier final : public TokenVerifier {
 public:
  IntrospectionVerifier(Runtime& runtime, IntrospectionOptions options);
  ~IntrospectionVerifier() override;
  IntrospectionVerifier(const IntrospectionVerifier&) = delete;
  IntrospectionVerifier& operator=(const IntrospectionVerifier&) = delete;

  std::optional<Result<Principal>> try_verify(std::string_view token) override;
  Async<Principal> verify(const Context& ctx, std::string_view token) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aiserve::inline v0
