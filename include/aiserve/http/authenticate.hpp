/// Authentication as a before hook: who asks is verified before a WebSocket is opened and before
/// anything behind this hook runs; and before the body is read, if the verifier can tell at once.
/// One that has to ask first is asked when the body is there, or, if that is streamed, while it
/// comes: within the route's limits, with a place of the server, none of the route or the tenant.
///
/// A request that passes has Context::principal() and Context::tenant(). What has no deadline of
/// its own, event streams and WebSockets, ends when the token does (1008). Answers: 401 without or
/// with wrong credentials, 400 for those that are malformed or there twice, 403 for a tenant that
/// is not known or a scope that is missing, all with WWW-Authenticate (RFC 6750 section 3); 503
/// while nobody can tell. *Thread safety:* any thread; what is given by reference must outlive the
/// server. *Errors:* ConfigError from wiring.
///
///     server.before(http::authenticate(tokens))
///         .before(http::under("/v1/models", http::require_scope("train")));
#pragma once

#include <aiserve/core/tenant_directory.hpp>
#include <aiserve/http/hooks.hpp>
#include <aiserve/security/token_verifier.hpp>

#include <string>

namespace aiserve::inline v0::http {

struct AuthenticateOptions {
  /// Where tenants are looked up by what the token says. Default: a tenant is its id and no more,
  /// with nothing limited.
  const TenantDirectory* tenants = nullptr;
  /// Field that carries the credentials. Authorization: as "Bearer <token>"; any other
  /// ("X-API-Key"): the bare key.
  std::string field = "Authorization";
  /// Off: a request without credentials passes as nobody, for require_scope() or another
  /// authenticate() to judge. Wrong ones are refused all the same.
  bool required = true;
  /// Takes ?access_token=, for WebSockets and event streams of browsers, which can send no fields.
  /// Off: refused, for addresses end up in logs and histories.
  bool query_token = false;
  /// What the credentials are for, as clients show it.
  std::string realm = "api";
};

detail::BeforeHook authenticate(TokenVerifier& tokens, AuthenticateOptions options = {});

/// For behind authenticate(): 403 for principals without this scope, 401 for nobody.
detail::BeforeHook require_scope(std::string scope);

}  // namespace aiserve::inline v0::http
