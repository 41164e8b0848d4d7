#include "aiserve/security/jwt_verifier.hpp"

#include <utility>

#include "security/jws.hpp"
#include "security/jwt_claims.hpp"
#include "security/jwt_options.hpp"
#include "security/key_ring.hpp"
#include "security/token_table.hpp"

namespace aiserve::inline v0 {

using detail::Jwk;
using detail::JwkSet;
using detail::Jws;
using detail::TokenDigest;

class JwtVerifier::Impl {
 public:
  Impl(Runtime& runtime, JwtVerifierOptions options);

  // Nothing: the keys are being fetched; wait, then ask again.
  std::optional<Result<Principal>> attempt(std::string_view token);
  Async<Principal> verify(const Context& ctx, std::string_view token);
  detail::KeyRing& ring() noexcept { return ring_; }
  std::size_t cached() const { return verified_.size(); }

 private:
  static Counter& counter(Runtime& runtime, const std::string& issuer, const char* result);
  std::optional<Result<Principal>> attempt(std::string_view token, const TokenDigest& digest);
  Result<Principal> check(const Jws& jws, const Jwk& key) const;
  Result<Principal> count(Result<Principal> result);
  std::string not_ready() const;

  Runtime& runtime_;
  const detail::JwtRules rules_;
  detail::KeyRing ring_;
  detail::TokenTable<Principal> verified_;
  Counter& from_cache_;
  Counter& accepted_;
  Counter& refused_;
  Attachment attachment_;  // goes first
};

namespace {

Error unknown_key() {
  return Error(Errc::unauthenticated, "the token is signed with a key that is not known");
}

Error no_keys() {
  return Error(Errc::unavailable, "the keys of the issuer cannot be had now")
      .retry_after(std::chrono::seconds(1));
}

}  // namespace

JwtVerifier::Impl::Impl(Runtime& runtime, JwtVerifierOptions options)
    : runtime_(runtime),
      rules_(detail::checked_rules(options)),
      ring_(runtime, detail::key_ring_options(runtime, options)),
      verified_(options.max_cached),
      from_cache_(counter(runtime, options.issuer, "cached")),
      accepted_(counter(runtime, options.issuer, "accepted")),
      refused_(counter(runtime, options.issuer, "refused")) {
  if (!options.jwks_path.empty()) detail::load_first(ring_, options);
  attachment_ = runtime.attach({.name = "jwt " + options.issuer,
                                .start = [this] { (void)ring_.step(true); },
                                .tick = [this] { (void)ring_.step(true); },
                                .not_ready = [this] { return not_ready(); }});
}

Counter& JwtVerifier::Impl::counter(Runtime& runtime, const std::string& issuer,
                                    const char* result) {
  return runtime.telemetry().metrics().counter("aiserve_jwt_tokens_total",
                                               "Tokens that were shown, by what became of them",
                                               {{"issuer", issuer}, {"result", result}});
}

std::string JwtVerifier::Impl::not_ready() const {
  return ring_.keys() == nullptr ? "the keys of the issuer are not there yet" : "";
}

std::optional<Result<Principal>> JwtVerifier::Impl::attempt(std::string_view token) {
  if (token.size() > rules_.max_token) {
    return count(Error(Errc::unauthenticated, "the token is too long"));
  }
  const TokenDigest digest = detail::token_digest(token);
  const WallTime now = runtime_.clock().wall_now();
  if (auto known = verified_.find(digest, ring_.generation(), now)) {
    if (ring_.step(true) == decide::KeyStep::use) {
      from_cache_.inc();
      return std::move(*known);
    }
  }
  return attempt(token, digest);
}

std::optional<Result<Principal>> JwtVerifier::Impl::attempt(std::string_view token,
                                                            const TokenDigest& digest) {
  const Result<Jws> jws = detail::parse_jws(token);
  if (!jws) return count(jws.error());
  if (!rules_.algorithms.allows(jws->algorithm)) {
    return count(Error(Errc::unauthenticated, "the token's algorithm is not allowed"));
  }
  // Before the keys: what is verified with them must not be remembered beyond them.
  const std::uint64_t generation = ring_.generation();
  const std::shared_ptr<const JwkSet> keys = ring_.keys();
  const Jwk* const key = keys ? keys->find(jws->key_id, jws->algorithm) : nullptr;
  switch (ring_.step(key != nullptr || (keys && keys->knows(jws->key_id)))) {
    case decide::KeyStep::wait:
      return std::nullopt;
    case decide::KeyStep::unavailable:
      return Result<Principal>(no_keys());
    default:
      break;
  }
  if (key == nullptr) return count(unknown_key());
  Result<Principal> who = count(check(*jws, *key));
  if (who.ok()) verified_.put(digest, generation, who->expires(), *who);
  return who;
}

Result<Principal> JwtVerifier::Impl::check(const Jws& jws, const Jwk& key) const {
  if (!key.verify(jws.algorithm, jws.signed_text, jws.signature)) {
    return Error(Errc::unauthenticated, "the token's signature is wrong");
  }
  if (Result<void> type = detail::check_type(jws.type, rules_.claims); !type) {
    return std::move(type).error();
  }
  return detail::read_claims(jws.payload, rules_.claims, runtime_.clock().wall_now());
}

Result<Principal> JwtVerifier::Impl::count(Result<Principal> result) {
  (result.ok() ? accepted_ : refused_).inc();
  return result;
}

Async<Principal> JwtVerifier::Impl::verify(const Context& ctx, std::string_view token) {
  if (auto known = attempt(token)) co_return std::move(*known);
  if (Result<void> fetched = co_await ring_.wait(ctx); !fetched) {
    co_return std::move(fetched).error();
  }
  if (auto known = attempt(token)) co_return std::move(*known);
  co_return no_keys();  // they were fetched, and are already to be fetched again
}

JwtVerifier::JwtVerifier(Runtime& runtime, JwtVerifierOptions options)
    : impl_(std::make_unique<Impl>(runtime, std::move(options))) {}

JwtVerifier::~JwtVerifier() = default;

std::optional<Result<Principal>> JwtVerifier::try_verify(std::string_view token) {
  return impl_->attempt(token);
}

Async<Principal> JwtVerifier::verify(const Context& ctx, std::string_view token) {
  return impl_->verify(ctx, token);
}

std::size_t JwtVerifier::keys() const {
  const auto keys = impl_->ring().keys();
  return keys == nullptr ? 0 : keys->size();
}

std::size_t JwtVerifier::cached() const { return impl_->cached(); }

}  // namespace aiserve::inline v0
