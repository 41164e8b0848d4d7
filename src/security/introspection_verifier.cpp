#include "aiserve/security/introspection_verifier.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include "aiserve/core/telemetry.hpp"
#include "core/json_guard.hpp"
#include "security/claim_reader.hpp"
#include "security/token_questions.hpp"
#include "security/token_table.hpp"

namespace aiserve::inline v0 {

using detail::TokenDigest;

namespace {

using std::chrono::seconds;

constexpr std::size_t kMaxAnswer = 64 * 1024;
constexpr std::size_t kMaxWaiting = 4096;

Error inactive() { return Error(Errc::unauthenticated, "the token is not active"); }

Error no_answer(Error cause) {
  return Error(Errc::unavailable, "the issuer of the token cannot be asked now")
      .retry_after(seconds(1))
      .with_detail(cause.to_string());
}

void require(bool good, const char* what) {
  if (!good) throw ConfigError(std::string("introspection: ") + what);
}

IntrospectionOptions checked(IntrospectionOptions options) {
  require(options.post != nullptr, "post is not set");
  require(!options.tenant_claim.empty(), "tenant_claim is empty");
  const auto within = [](seconds time) { return time >= seconds(0) && time <= seconds(3600); };
  require(within(options.max_age), "max_age must be 0 to 1 h");
  require(within(options.refused_for), "refused_for must be 0 to 1 h");
  require(options.max_cached <= 10'000'000, "max_cached must be at most 10000000");
  require(options.max_in_flight >= 1 && options.max_in_flight <= 10'000,
          "max_in_flight must be 1 to 10000");
  require(options.timeout.count() >= 100 && options.timeout.count() <= 60'000,
          "timeout must be 100 ms to 60 s");
  require(options.max_token >= 1 && options.max_token <= 64 * 1024, "max_token must be 1 to 65536");
  return options;
}

// application/x-www-form-urlencoded, with all but what needs no escape escaped.
std::string form_of(std::string_view token) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";
  std::string form = "token_type_hint=access_token&token=";
  for (const char c : token) {
    if (kPlain.find(c) != std::string_view::npos) {
      form += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    form += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return form;
}

}  // namespace

class IntrospectionVerifier::Impl {
 public:
  Impl(Runtime& runtime, IntrospectionOptions options)
      : runtime_(runtime),
        options_(checked(std::move(options))),
        active_(options_.max_cached),
        refused_(options_.max_cached),
        questions_(runtime.core(), kMaxWaiting) {}

  std::optional<Result<Principal>> known(std::string_view token) const {
    if (token.size() > options_.max_token) return Result<Principal>(inactive());
    return known(detail::token_digest(token));
  }

  Async<Principal> ask(const Context& ctx, std::string_view token) {
    if (auto answer = known(token)) co_return std::move(*answer);
    const TokenDigest digest = detail::token_digest(token);
    detail::TokenQuestions::Seat seat(questions_, digest);
    const Result<void> taken = co_await seat.take(ctx);
    if (!taken) co_return taken.error();
    if (seat.answer()) co_return *seat.answer();
    // Somebody's answer may have come since.
    std::optional<Result<Principal>> answer = known(digest);
    if (!answer) {
      Result<Principal> asked = co_await question(ctx, token, digest);
      // What this caller's own end caused is no answer: the next asks.
      if (!asked.ok() && !ctx.check(runtime_.clock().now()).ok()) co_return asked;
      answer.emplace(std::move(asked));
    }
    seat.tell(*answer);
    co_return std::move(*answer);
  }

 private:
  struct Asking {
    explicit Asking(std::atomic<std::size_t>& count) : in_flight(count), position(++count) {}
    ~Asking() { --in_flight; }
    Asking(const Asking&) = delete;
    Asking& operator=(const Asking&) = delete;
    std::atomic<std::size_t>& in_flight;
    const std::size_t position;
  };

  std::optional<Result<Principal>> known(const TokenDigest& digest) const {
    const WallTime now = runtime_.clock().wall_now();
    if (auto who = active_.find(digest, 0, now)) return Result<Principal>(std::move(*who));
    if (refused_.find(digest, 0, now)) return Result<Principal>(inactive());
    return std::nullopt;
  }

  Async<Principal> question(const Context& ctx, std::string_view token, const TokenDigest& digest) {
    const Asking asking(in_flight_);
    if (asking.position > options_.max_in_flight) {
      co_return Error(Errc::overloaded, "too many tokens are being asked about")
          .retry_after(seconds(1));
    }
    const std::string form = form_of(token);
    const auto call = [this, &form](const Context& child) { return options_.post(child, form); };
    const Result<std::string> text = co_await with_deadline(ctx, options_.timeout, call);
    if (!text) co_return no_answer(text.error());
    Result<Principal> who = read(*text);
    remember(digest, who);
    co_return who;
  }

  // What is not the issuer's word on this token is not remembered.
  void remember(const TokenDigest& digest, const Result<Principal>& who) {
    const WallTime now = runtime_.clock().wall_now();
    if (who.ok()) {
      active_.put(digest, 0, std::min(who->expires(), now + options_.max_age), *who);
    } else if (who.error().code() == Errc::unauthenticated) {
      refused_.put(digest, 0, now + options_.refused_for, true);
    }
  }

  Result<Principal> read(const std::string& text) const {
    const auto json = detail::parse_json(text, {.max_depth = 16, .max_values = 10'000});
    if (text.size() > kMaxAnswer || !json || !json->is_object()) {
      return no_answer(Error(Errc::malformed, "the answer is no JSON object"));
    }
    const auto active = json->find("active");
    if (active == json->end() || !active->is_boolean()) {
      return no_answer(Error(Errc::malformed, "the answer does not say whether it is active"));
    }
    if (!active->get<bool>()) return inactive();
    return principal(detail::ClaimReader(*json));
  }

  Result<Principal> principal(const detail::ClaimReader& claims) const {
    const WallTime now = runtime_.clock().wall_now();
    if (!options_.issuer.empty() && claims.text("iss") != options_.issuer) return inactive();
    if (!options_.audience.empty() && !claims.is_for(options_.audience)) return inactive();
    const std::optional<WallTime> expires = claims.date("exp");
    if (claims.has("exp") && (!expires || now >= *expires)) return inactive();
    const std::optional<WallTime> begins = claims.date("nbf");
    if (claims.has("nbf") && (!begins || now < *begins)) return inactive();
    std::optional<TenantId> tenant = claims.tenant(options_.tenant_claim);
    if (!tenant) return inactive();
    PrincipalSpec spec;
    spec.subject = claims.text("sub").value_or(std::string());
    spec.tenant = std::move(*tenant);
    spec.scopes = claims.scopes();
    spec.expires = expires.value_or(WallTime::max());
    spec.claims = claims.kept(options_.claims);
    return Principal(std::move(spec));
  }

  Runtime& runtime_;
  const IntrospectionOptions options_;
  detail::TokenTable<Principal> active_;
  detail::TokenTable<bool> refused_;
  detail::TokenQuestions questions_;
  std::atomic<std::size_t> in_flight_{0};
};

IntrospectionVerifier::IntrospectionVerifier(Runtime& runtime, IntrospectionOptions options)
    : impl_(std::make_unique<Impl>(runtime, std::move(options))) {}

IntrospectionVerifier::~IntrospectionVerifier() = default;

std::optional<Result<Principal>> IntrospectionVerifier::try_verify(std::string_view token) {
  return impl_->known(token);
}

Async<Principal> IntrospectionVerifier::verify(const Context& ctx, std::string_view token) {
  return impl_->ask(ctx, token);
}

}  // namespace aiserve::inline v0
