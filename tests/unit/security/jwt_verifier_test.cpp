#include <doctest/doctest.h>

#include "unit/security/jwt_bench.hpp"

namespace aiserve {
namespace {

using namespace std::chrono_literals;
using testing::ec_signer;
using testing::json;
using testing::JwtBench;
using testing::rsa_signer;
using testing::Signer;
using testing::to_base64url;

TEST_CASE("a good token says who asks") {
  JwtBench bench(testing::jwks(rsa_signer()), {.claims = {"email", "groups", "absent"}});
  json claims = bench.claims("email", "ada@example.org");
  claims["groups"] = {"a", "b"};
  const Result<Principal> who = bench.ask(rsa_signer().sign(claims));
  REQUIRE(who.ok());
  CHECK(who->subject() == "ada");
  CHECK(who->tenant() == TenantId("ada"));
  CHECK(who->has_scope("train"));
  CHECK_FALSE(who->has_scope("trai"));
  CHECK(who->claim("email") == "ada@example.org");
  CHECK(who->claim("groups") == R"(["a","b"])");
  CHECK_FALSE(who->claim("absent").has_value());
  CHECK(who->expires() == WallTime(std::chrono::seconds(claims["exp"].get<int>()) + 30s));
}

TEST_CASE("times are what the clock says, give or take the leeway") {
  JwtBench bench;
  const std::int64_t now = bench.now();
  CHECK(bench.takes(rsa_signer().sign(bench.claims("exp", now - 29))));
  CHECK_FALSE(bench.takes(rsa_signer().sign(bench.claims("exp", now - 30))));
  CHECK(bench.reason == "the token has expired");
  CHECK(bench.takes(rsa_signer().sign(bench.claims("nbf", now + 30))));
  CHECK_FALSE(bench.takes(rsa_signer().sign(bench.claims("nbf", now + 31))));
  CHECK(bench.takes(rsa_signer().sign(bench.without("nbf"))));
  // A token that was taken once is not taken for longer.
  const std::string token = rsa_signer().sign(bench.claims("exp", now + 10));
  CHECK(bench.takes(token));
  bench.sim.advance(39s);
  CHECK(bench.takes(token));
  bench.sim.advance(1s);
  CHECK_FALSE(bench.takes(token));
}

TEST_CASE("an expiry that is no number of seconds is none") {
  JwtBench bench;
  const double soon = static_cast<double>(bench.now()) + 60.5;
  CHECK(bench.takes(rsa_signer().sign(bench.claims("exp", soon))));  // RFC 7519 allows fractions
  CHECK(bench.takes(rsa_signer().sign(bench.claims("exp", 253402300799))));
  for (const json& bad :
       {json("9999999999"), json(-1), json(-1e300), json(1e300), json(0), json(253402300800),
        json(nullptr), json(true), json::array({9999999999}), json::object()}) {
    CAPTURE(bad.dump());
    CHECK_FALSE(bench.takes(rsa_signer().sign(bench.claims("exp", bad))));
    if (bad != 0) CHECK_FALSE(bench.takes(rsa_signer().sign(bench.claims("nbf", bad))));
  }
  CHECK_FALSE(bench.takes(rsa_signer().sign(bench.without("exp"))));
  const std::string huge =
      R"({"iss":"https://id.example","aud":"classifier","sub":"a","exp":1e999})";
  CHECK_FALSE(bench.takes(rsa_signer().sign_text(R"({"alg":"RS256","kid":"rsa"})", huge)));
}

TEST_CASE("issuer, audience and tenant are compared exactly") {
  JwtBench bench;
  for (const json& issuer : {json("https://id.example/"), json("https://ID.example"), json(""),
                             json(nullptr), json::array({"https://id.example"})}) {
    CHECK_FALSE(bench.takes(rsa_signer().sign(bench.claims("iss", issuer))));
  }
  CHECK(bench.takes(rsa_signer().sign(bench.claims("aud", {"other", "classifier"}))));
  for (const json& audience : {json("Classifier"), json(""), json::array(), json::array({"other"}),
                               json::array({"classifier", 7}), json(7), json::object()}) {
    CAPTURE(audience.dump());
    CHECK_FALSE(bench.takes(rsa_signer().sign(bench.claims("aud", audience))));
  }
  for (const char* name : {"iss", "aud", "sub"}) {
    CHECK_FALSE(bench.takes(rsa_signer().sign(bench.without(name))));
  }
  for (const json& subject :
       {json(""), json("a b"), json("a\nb"), json(7), json(std::string(129, 'a'))}) {
    CHECK_FALSE(bench.takes(rsa_signer().sign(bench.claims("sub", subject))));
  }
}

TEST_CASE("the tenant may stand in a claim of its own, and then it has to") {
  JwtBench bench(testing::jwks(rsa_signer()), {.tenant_claim = "org"});
  const Result<Principal> who = bench.ask(rsa_signer().sign(bench.claims("org", "acme")));
  REQUIRE(who.ok());
  CHECK(who->tenant() == TenantId("acme"));
  CHECK(who->subject() == "ada");
  CHECK_FALSE(bench.takes(rsa_signer().sign(bench.claims())));
}

TEST_CASE("scopes come as a text or a list, under either name") {
  JwtBench bench;
  const auto scopes = [&](const char* name, json value) {
    json claims = bench.without("scope");
    claims[name] = std::move(value);
    const Result<Principal> who = bench.ask(rsa_signer().sign(claims));
    const auto all = who.value().scopes();
    return std::vector<std::string>(all.begin(), all.end());
  };
  const std::vector<std::string> both{"infer", "train"};
  CHECK(scopes("scope", "train  infer train ") == both);
  CHECK(scopes("scope", {"infer", "train", 7}) == both);
  CHECK(scopes("scp", {"train", "infer"}) == both);
  CHECK(scopes("scp", "train infer") == both);
  CHECK(scopes("scope", 7).empty());
  CHECK(scopes("scope", " ").empty());
}

TEST_CASE("the type of a token is one that may be an access token") {
  JwtBench lenient;
  JwtBench strict(testing::jwks(rsa_signer()), {.access_tokens_only = true});
  for (const char* type : {"at+jwt", "AT+JWT", "application/at+jwt"}) {
    CHECK(lenient.takes(rsa_signer().sign(lenient.claims(), {{"typ", type}})));
    CHECK(strict.takes(rsa_signer().sign(strict.claims(), {{"typ", type}})));
  }
  CHECK(lenient.takes(rsa_signer().sign(lenient.claims(), {{"typ", "JWT"}})));
  CHECK_FALSE(strict.takes(rsa_signer().sign(strict.claims(), {{"typ", "JWT"}})));
  CHECK_FALSE(strict.takes(rsa_signer().sign(strict.claims())));
  for (const json& type : {json("dpop+jwt"), json("logout+jwt"), json("id+jwt"), json(7)}) {
    CHECK_FALSE(lenient.takes(rsa_signer().sign(lenient.claims(), {{"typ", type}})));
  }
}

TEST_CASE("algorithms that are not named are not taken") {
  JwtBench bench(testing::jwks(rsa_signer(), ec_signer()), {.algorithms = {"ES256"}});
  CHECK(bench.takes(ec_signer().sign(bench.claims())));
  CHECK_FALSE(bench.takes(rsa_signer().sign(bench.claims())));
}

TEST_CASE("shared secrets are taken when they are asked for, and nothing else then") {
  const Signer secret = Signer::secret("s", std::string(32, 'k'));
  JwtBench bench(testing::jwks(secret), {.hmac = true});
  CHECK(bench.takes(secret.sign(bench.claims())));
  CHECK_FALSE(bench.takes(Signer::secret("s", std::string(32, 'j')).sign(bench.claims())));
  CHECK_FALSE(bench.takes(secret.sign(bench.claims(), {{"alg", "HS512"}})));
  CHECK_FALSE(bench.takes(rsa_signer().sign(bench.claims(), {{"kid", "s"}})));
}

TEST_CASE("options that cannot work are named") {
  const auto refused = [](JwtVerifierOptions options) -> std::string {
    testing::SimRuntime sim;
    try {
      const JwtVerifier verifier(sim.runtime(), std::move(options));
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  };
  const TemporaryFile keys(testing::jwks(rsa_signer()));
  const TemporaryFile rubbish("{");
  const auto with = [&](auto change) {
    JwtVerifierOptions options{.issuer = "i", .audience = "a", .jwks_path = keys.path()};
    change(options);
    return refused(options);
  };
  CHECK(with([](auto&) {}) == "");
  CHECK(with([](auto& o) { o.issuer = ""; }) == "jwt: issuer is empty");
  CHECK(with([](auto& o) { o.audience = ""; }) == "jwt: audience is empty");
  CHECK(with([](auto& o) { o.tenant_claim = ""; }) == "jwt: tenant_claim is empty");
  CHECK(with([](auto& o) { o.jwks_path = ""; }).find("exactly one") != std::string::npos);
  CHECK(with([](auto& o) { o.jwks_path = "/none"; }).find("cannot be read") != std::string::npos);
  CHECK(with([&](auto& o) { o.jwks_path = rubbish.path(); }).find("jwks_path") == 5);
  CHECK(with([](auto& o) { o.algorithms = {"none"}; }).find("not known") != std::string::npos);
  CHECK(with([](auto& o) { o.algorithms = {"HS256"}; }).find("hmac") != std::string::npos);
  CHECK(with([](auto& o) { o.leeway = -1s; }).find("leeway") == 5);
  CHECK(with([](auto& o) { o.max_token = 1; }).find("max_token") == 5);
  CHECK(with([](auto& o) { o.max_stale = 1s; }).find("max_stale") == 5);
  CHECK(with([](auto& o) { o.cool_down = 0s; }).find("cool_down") == 5);
  CHECK(with([](auto& o) { o.max_jwks = 64; }).find("too large") != std::string::npos);
}

TEST_CASE("what was verified is remembered, within a bound, and only what was") {
  JwtBench bench(testing::jwks(rsa_signer(), ec_signer()), {.max_cached = 16});
  CHECK_FALSE(bench.takes(rsa_signer().sign(bench.claims("aud", "x"))));
  CHECK(bench.verifier.cached() == 0);
  const std::string token = ec_signer().sign(bench.claims());
  CHECK(bench.takes(token));
  CHECK(bench.takes(token));
  CHECK(bench.verifier.cached() == 1);
  for (int i = 0; i < 100; ++i) CHECK(bench.takes(ec_signer().sign(bench.claims("jti", i))));
  CHECK(bench.verifier.cached() <= 16);
  CHECK_FALSE(bench.takes(token + "A"));
  CHECK_FALSE(bench.takes(token.substr(0, token.size() - 1)));
}

TEST_CASE("a file that changes is read again, and what it no longer holds is not trusted") {
  JwtBench bench(testing::jwks(rsa_signer()));
  const std::string old = rsa_signer().sign(bench.claims());
  const std::string fresh = ec_signer().sign(bench.claims());
  CHECK(bench.takes(old));
  CHECK_FALSE(bench.takes(fresh));
  bench.file.write(testing::jwks(ec_signer()));
  bench.sim.advance(1s);
  CHECK(bench.takes(fresh));  // a key that is not known is looked for at once
  CHECK_FALSE(bench.takes(old));
  // Rubbish leaves what there is.
  bench.file.write("{");
  bench.sim.advance(1h);
  CHECK(bench.verifier.keys() == 1);
  CHECK(bench.takes(ec_signer().sign(bench.claims())));
  bench.file.remove();
  bench.sim.advance(1h);
  CHECK(bench.takes(ec_signer().sign(bench.claims())));
  bench.file.write(testing::jwks(rsa_signer(), ec_signer()));
  bench.sim.advance(10s);  // nobody asks for it, it is read all the same
  CHECK(bench.verifier.keys() == 2);
}

}  // namespace
}  // namespace aiserve
