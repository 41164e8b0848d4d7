// What tests/authorization asks: /jwt takes JSON Web Tokens of an issuer, /opaque tokens that it is
// asked about; on a free port, which is logged.
// server ISSUER AUDIENCE JWKS_URL INTROSPECTION_URL CLIENT_ID CLIENT_SECRET
#include <aiserve/http/authenticate.hpp>
#include <aiserve/http/issuer.hpp>
#include <aiserve/http/server.hpp>
#include <aiserve/security/introspection_verifier.hpp>
#include <aiserve/security/jwt_verifier.hpp>

#include <chrono>
#include <iostream>

namespace http = aiserve::http;
using namespace std::chrono_literals;

int main(int argc, char** argv) try {
  if (argc != 7) return 2;
  aiserve::Runtime runtime;
  http::Client client(runtime, {.name = "issuer", .allow_addresses = {"127.0.0.0/8"}});
  aiserve::JwtVerifier tokens(runtime, {.issuer = argv[1],
                                        .audience = argv[2],
                                        .fetch_keys = http::jwks_url(client, argv[3]),
                                        .access_tokens_only = true,
                                        .leeway = 0s,
                                        .refresh_after = 1s,
                                        .cool_down = 1s});
  aiserve::IntrospectionVerifier opaque(
      runtime, {.post = http::introspection_url(client, argv[4], argv[5], argv[6]),
                .issuer = argv[1],
                .audience = argv[2],
                .tenant_claim = "client_id",
                .max_age = 1s,
                .refused_for = 1s});
  http::Server server(runtime, {.address = "127.0.0.1", .port = 0});
  server.before(http::under("/jwt", http::authenticate(tokens)));
  server.before(http::under("/opaque", http::authenticate(opaque)));
  const auto who = [](const aiserve::Context& ctx, const http::Request&) {
    const bool may = ctx.principal().has_scope("infer");
    return http::text(ctx.tenant().id().value() + (may ? " may infer\n" : " may not infer\n"));
  };
  server.get("/jwt", who).get("/opaque", who);
  return runtime.run();
} catch (const aiserve::ConfigError& error) {
  std::cerr << error.what() << "\n";
  return 2;
}
