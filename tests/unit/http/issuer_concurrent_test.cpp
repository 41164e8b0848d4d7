// A verifier whose issuer is a server behind a network that misbehaves, asked by http::Client.
#include <atomic>

#include <doctest/doctest.h>

#include "aiserve/http/issuer.hpp"
#include "aiserve/http/server.hpp"
#include "aiserve/testing/tcp_gate.hpp"
#include "unit/http/client_host.hpp"
#include "unit/security/signer.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;
using aiserve::testing::ec_signer;
using aiserve::testing::GateMode;
using aiserve::testing::rsa_signer;
using aiserve::testing::Signer;
using aiserve::testing::TcpGate;

std::int64_t seconds_now() {
  const auto since = Clock::steady().wall_now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(since).count();
}

std::string token(const Signer& signer) {
  return signer.sign(aiserve::testing::good_claims(seconds_now()));
}

struct Issuer : ClientHost {
  Issuer() : ClientHost({.timeout = 2s}) {
    server.get("/jwks.json", [this](const Context&, const Request&) {
      ++asked;
      if (huge) return json(std::string(2'000'000, ' '));
      return json(rotated ? aiserve::testing::jwks(rsa_signer(), ec_signer())
                          : aiserve::testing::jwks(rsa_signer()));
    });
    server.post("/introspect", [](const Context&, const Request& request) -> Result<Response> {
      if (request.header("Authorization") != "Basic YXBwOnNlY3JldA==") {
        return Error(Errc::unauthenticated, "who are you");
      }
      const bool good = request.text() == "token_type_hint=access_token&token=good";
      return json(good ? R"({"active":true,"sub":"ada"})" : R"({"active":false})");
    });
  }
  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(gate.port()) + path;
  }
  Result<Principal> ask(TokenVerifier& verifier, const std::string& text) {
    if (auto known = verifier.try_verify(text)) return *known;
    return block_on(runtime, verifier.verify(Context::background(), text));
  }
  // Until it is so: what is fetched behind the scenes takes a moment.
  bool takes_in_time(TokenVerifier& verifier, const std::string& text) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (std::chrono::steady_clock::now() < deadline) {
      if (ask(verifier, text).ok()) return true;
    }
    return false;
  }

  std::atomic<int> asked{0};
  std::atomic<bool> huge{false};
  std::atomic<bool> rotated{false};
  Server server{runtime, {.address = "127.0.0.1", .port = 0}};
  TcpGate gate{server.port()};
};

TEST_CASE("keys come over the network, rotate, and outlive an issuer that is cut off") {
  Issuer issuer;
  JwtVerifier tokens(issuer.runtime,
                     {.issuer = "https://id.example",
                      .audience = "classifier",
                      .fetch_keys = jwks_url(issuer.client, issuer.url("/jwks.json")),
                      .refresh_after = 1s,
                      .cool_down = 1s});
  issuer.start();
  CHECK(issuer.takes_in_time(tokens, token(rsa_signer())));
  issuer.huge = true;
  for (const GateMode& mode : {GateMode::reset_on_data(), GateMode::drop(), GateMode::pass()}) {
    issuer.gate.both(mode);
    for (int i = 0; i < 50; ++i) CHECK(issuer.ask(tokens, token(rsa_signer())).ok());
    CHECK_FALSE(issuer.ask(tokens, token(ec_signer())).ok());
  }
  issuer.huge = false;
  issuer.rotated = true;
  CHECK(issuer.takes_in_time(tokens, token(ec_signer())));
  CHECK(issuer.ask(tokens, token(rsa_signer())).ok());
}

TEST_CASE("10,000 unknown keys reach the issuer as a handful of questions") {
  Issuer issuer;
  JwtVerifier tokens(issuer.runtime,
                     {.issuer = "https://id.example",
                      .audience = "classifier",
                      .fetch_keys = jwks_url(issuer.client, issuer.url("/jwks.json")),
                      .cool_down = 3600s});
  issuer.start();
  CHECK(issuer.takes_in_time(tokens, token(rsa_signer())));
  const std::string claims = aiserve::testing::good_claims(seconds_now()).dump();
  int taken = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string header = R"({"alg":"ES256","kid":"unknown)" + std::to_string(i) + "\"}";
    const std::string text = aiserve::testing::to_base64url(header) + '.' +
                             aiserve::testing::to_base64url(claims) + ".AAAA";
    if (issuer.ask(tokens, text).ok()) ++taken;
  }
  CHECK(taken == 0);
  CHECK(issuer.asked.load() == 1);
  CHECK(issuer.ask(tokens, token(rsa_signer())).ok());
}

TEST_CASE("an introspection endpoint is asked as this service") {
  Issuer issuer;
  IntrospectionVerifier tokens(
      issuer.runtime,
      {.post = introspection_url(issuer.client, issuer.url("/introspect"), "app", "secret")});
  IntrospectionVerifier stranger(
      issuer.runtime,
      {.post = introspection_url(issuer.client, issuer.url("/introspect"), "app", "wrong")});
  issuer.start();
  CHECK(issuer.ask(tokens, "good").value().subject() == "ada");
  CHECK(issuer.ask(tokens, "bad").error().code() == Errc::unauthenticated);
  CHECK(issuer.ask(stranger, "good").error().code() == Errc::unavailable);
  CHECK_THROWS_AS((void)introspection_url(issuer.client, "x", "a:b", "s"), ConfigError);
  CHECK_THROWS_AS((void)introspection_url(issuer.client, "x", "a", ""), ConfigError);
}

}  // namespace
}  // namespace aiserve::http
