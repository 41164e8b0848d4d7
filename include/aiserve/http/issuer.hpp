/// What verifiers ask an issuer for, asked with an http::Client: its limits, retries, breaker and
/// guard against private addresses hold. An issuer inside one's own network has to be allowed there
/// (ClientOptions::allow_addresses).
/// *Thread safety:* any thread; the client must outlive the verifier. *Errors:* of the functions
/// they give: those of the Client; unavailable for a status other than 200.
///
///     http::Client client(runtime, {.name = "issuer"});
///     JwtVerifier tokens(runtime, {.issuer = "https://id.example", .audience = "classifier",
///         .fetch_keys = http::jwks_url(client, "https://id.example/.well-known/jwks.json")});
#pragma once

#include <aiserve/http/client.hpp>
#include <aiserve/security/introspection_verifier.hpp>
#include <aiserve/security/jwt_verifier.hpp>

#include <string>

namespace aiserve::inline v0::http {

/// GETs a JWK Set.
FetchKeys jwks_url(Client& client, std::string url);
/// POSTs to an introspection endpoint, as this service: HTTP Basic (RFC 6749 section 2.3.1) of an
/// id and a secret. Both are sent as they are: letters, digits and -._~ only, else ConfigError.
PostForm introspection_url(Client& client, std::string url, std::string id, std::string secret);

}  // namespace aiserve::inline v0::http
