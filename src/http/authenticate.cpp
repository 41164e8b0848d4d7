#include "aiserve/http/authenticate.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "aiserve/core/context.hpp"
#include "core/io_thread.hpp"
#include "core/runtime_core.hpp"
#include "http/credentials.hpp"

namespace aiserve::inline v0::http {
namespace {

using detail::Credentials;
using detail::find_credentials;
using State = Credentials::State;

// What may stand between quotes in WWW-Authenticate without more ado (RFC 6750 section 3).
bool is_quotable(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= 0x20 && c <= 0x7e && c != '"' && c != '\\'; });
}

std::string parameter(std::string_view name, std::string_view value) {
  return ", " + std::string(name) + "=\"" + std::string(value) + '"';
}

// The Context's end becomes that of the principal, if it has none.
void end_with(Context& ctx, WallTime expires) {
  if (ctx.deadline().reachable() || expires == WallTime::max()) return;
  const v0::detail::IoThread* const home = v0::detail::IoThread::current();
  const Clock& clock = home != nullptr ? home->core().clock() : Clock::steady();
  ctx = ctx.with_deadline(Deadline::after(clock.now(), expires - clock.wall_now()));
}

class Authenticator {
 public:
  Authenticator(TokenVerifier& tokens, AuthenticateOptions options);

  std::optional<Response> begin(Context& ctx, const Request& request) const;
  /// The same for a verifier that has to ask first.
  Async<std::optional<Response>> finish(Context& ctx, const Request& request) const;
  void set_check(std::weak_ptr<const detail::PendingCheck> check) { check_ = std::move(check); }

 private:
  std::optional<Response> refuse(const Context& ctx, State state) const;
  std::optional<Response> decide(Context& ctx, const Result<Principal>& who) const;
  Response refusal(const Context& ctx, const Error& error) const;
  Result<Tenant> tenant_of(const Principal& who) const;

  TokenVerifier& tokens_;
  const AuthenticateOptions options_;
  const std::string challenge_;
  std::weak_ptr<const detail::PendingCheck> check_;
};

std::string challenge_of(const AuthenticateOptions& options) {
  const bool bearer = options.field == "Authorization";
  return (bearer ? "Bearer realm=\"" : "ApiKey realm=\"") + options.realm + '"';
}

AuthenticateOptions checked(AuthenticateOptions options) {
  if (options.field.empty()) throw ConfigError("authenticate: field is empty");
  if (!is_quotable(options.realm)) throw ConfigError("authenticate: realm cannot be quoted");
  return options;
}

Authenticator::Authenticator(TokenVerifier& tokens, AuthenticateOptions options)
    : tokens_(tokens), options_(checked(std::move(options))), challenge_(challenge_of(options_)) {}

std::optional<Response> Authenticator::begin(Context& ctx, const Request& request) const {
  const Credentials shown = find_credentials(request, options_.field, options_.query_token);
  if (shown.state != State::present) return refuse(ctx, shown.state);
  if (!ctx.principal().is_nobody()) return refuse(ctx, State::repeated);
  const auto who = tokens_.try_verify(shown.token());
  if (!who) return detail::pending(check_.lock());
  return decide(ctx, *who);
}

Async<std::optional<Response>> Authenticator::finish(Context& ctx, const Request& request) const {
  const Credentials shown = find_credentials(request, options_.field, options_.query_token);
  const std::string_view token = shown.token();
  const Result<Principal> who = co_await tokens_.verify(ctx, token);
  co_return decide(ctx, who);
}

std::optional<Response> Authenticator::refuse(const Context& ctx, State state) const {
  if (state == State::none) {
    if (!options_.required || !ctx.principal().is_nobody()) return std::nullopt;
    // No error code where there were no credentials (RFC 6750 section 3.1).
    return problem(ctx, Error(Errc::unauthenticated, "credentials are needed"))
        .header("WWW-Authenticate", challenge_);
  }
  const char* const why = state == State::in_query   ? "credentials must not stand in the address"
                          : state == State::repeated ? "credentials are there more than once"
                                                     : "the credentials are malformed";
  return problem(ctx, Error(Errc::malformed, why))
      .header("WWW-Authenticate", challenge_ + parameter("error", "invalid_request"));
}

std::optional<Response> Authenticator::decide(Context& ctx, const Result<Principal>& who) const {
  if (!who) return refusal(ctx, who.error());
  Result<Tenant> tenant = tenant_of(*who);
  if (!tenant) return refusal(ctx, tenant.error());
  ctx = ctx.with_identity(std::move(*tenant), *who);
  end_with(ctx, who->expires());
  return std::nullopt;
}

Response Authenticator::refusal(const Context& ctx, const Error& error) const {
  Response response = problem(ctx, error);
  if (error.code() != Errc::unauthenticated) return response;
  std::string challenge = challenge_ + parameter("error", "invalid_token");
  if (is_quotable(error.message())) {
    challenge += parameter("error_description", error.message());
  }
  response.header("WWW-Authenticate", challenge);
  return response;
}

Result<Tenant> Authenticator::tenant_of(const Principal& who) const {
  if (options_.tenants != nullptr) return options_.tenants->find(who.tenant());
  TenantSpec spec;
  spec.id = who.tenant();
  return Tenant::make(std::move(spec));
}

}  // namespace

detail::BeforeHook authenticate(TokenVerifier& tokens, AuthenticateOptions options) {
  const auto authenticator = std::make_shared<Authenticator>(tokens, std::move(options));
  auto check = std::make_shared<const detail::PendingCheck>(
      [authenticator](Context& ctx, const Request& request) {
        return authenticator->finish(ctx, request);
      });
  authenticator->set_check(check);
  return [authenticator, check](Context& ctx, const Request& request) {
    return authenticator->begin(ctx, request);
  };
}

detail::BeforeHook require_scope(std::string scope) {
  if (scope.empty() || !is_quotable(scope)) throw ConfigError("require_scope: no such scope");
  return [scope = std::move(scope)](Context& ctx, const Request&) -> std::optional<Response> {
    const Principal& who = ctx.principal();
    if (who.has_scope(scope)) return std::nullopt;
    if (who.is_nobody()) {
      return problem(ctx, Error(Errc::unauthenticated, "credentials are needed"))
          .header("WWW-Authenticate", "Bearer" + parameter("scope", scope).substr(1));
    }
    return problem(ctx, Error(Errc::permission_denied, "scope " + scope + " is needed"))
        .header("WWW-Authenticate",
                "Bearer error=\"insufficient_scope\"" + parameter("scope", scope));
  };
}

}  // namespace aiserve::inline v0::http
