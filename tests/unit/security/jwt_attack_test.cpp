// What people try. No token here is taken, and no key it brings along is looked at.
#include <doctest/doctest.h>
#include <openssl/pem.h>

#include "unit/security/jwt_bench.hpp"

namespace aiserve {
namespace {

using testing::ec_signer;
using testing::json;
using testing::JwtBench;
using testing::rsa_signer;
using testing::Signer;
using testing::to_base64url;

std::string unsigned_token(const JwtBench&, const json& header, const json& claims) {
  return to_base64url(header.dump()) + '.' + to_base64url(claims.dump()) + '.';
}

TEST_CASE("tokens without a signature are refused, however they spell it") {
  JwtBench bench;
  for (const char* name : {"none", "None", "NONE", "nOnE", "", " none", "none\0x"}) {
    CAPTURE(name);
    const json header{{"alg", name}, {"kid", "rsa"}};
    const std::string token = unsigned_token(bench, header, bench.claims());
    CHECK_FALSE(bench.takes(token));
    CHECK_FALSE(bench.takes(token + "AA"));
    CHECK_FALSE(bench.takes(token.substr(0, token.size() - 1)));
    CHECK_FALSE(bench.takes(rsa_signer().sign(bench.claims(), header)));
  }
  CHECK_FALSE(bench.takes(unsigned_token(bench, {{"kid", "rsa"}}, bench.claims())));
  CHECK_FALSE(
      bench.takes(unsigned_token(bench, {{"alg", "RS256"}, {"kid", "rsa"}}, bench.claims())));
}

TEST_CASE("a public key is no secret to sign with") {
  JwtBench bench;
  const json jwk = rsa_signer().jwk();
  BIO* const memory = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(memory, rsa_signer().key());
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  const std::string pem(data, static_cast<std::size_t>(size));
  BIO_free(memory);
  for (const std::string& secret :
       {pem, pem.substr(0, pem.size() - 1), jwk["n"].get<std::string>(),
        *detail::from_base64url(jwk["n"].get<std::string>()), jwk.dump()}) {
    for (const char* algorithm : {"HS256", "HS384", "HS512"}) {
      const Signer forger = Signer::secret("rsa", secret, algorithm);
      CHECK_FALSE(bench.takes(forger.sign(bench.claims())));
    }
  }
}

TEST_CASE("keys that a token brings along, or says where to find, are not used") {
  JwtBench bench;
  const Signer forger = Signer::rsa("rsa");
  for (const json& header : {
           json{{"jwk", forger.jwk()}},
           json{{"jwk", forger.jwk()}, {"kid", "mine"}},
           json{{"jku", "https://evil.example/jwks.json"}},
           json{{"x5u", "https://evil.example/cert.pem"}},
           json{{"x5c", json::array({"MIIB"})}},
           json{{"x5t", "AAAA"}},
       }) {
    CAPTURE(header.dump());
    CHECK_FALSE(bench.takes(forger.sign(bench.claims(), header)));
    // They do no harm to a token that is good without them.
    json good = header;
    good["kid"] = "rsa";
    CHECK(bench.takes(rsa_signer().sign(bench.claims(), good)));
  }
}

TEST_CASE("an id of a key is compared and nothing else") {
  JwtBench bench;
  for (const json& id :
       {json("../../../../dev/null"), json("/dev/null"), json("' OR '1'='1"),
        json("rsa' UNION SELECT 'x"), json("RSA"), json("rsa "), json(std::string("rsa\0", 4)),
        json("rsa/../rsa"), json("%72sa"), json("*"), json(std::string(5000, 'r')), json(7),
        json(nullptr), json::array({"rsa"}), json(true)}) {
    CAPTURE(id.dump());
    CHECK_FALSE(bench.takes(rsa_signer().sign(bench.claims(), {{"kid", id}})));
  }
}

TEST_CASE("members that are there twice are refused wherever they stand") {
  JwtBench bench;
  const std::string claims = bench.claims().dump();
  const std::string more = claims.substr(0, claims.size() - 1);
  for (const char* header :
       {R"({"alg":"RS256","alg":"none","kid":"rsa"})",
        R"({"alg":"none","alg":"RS256","kid":"rsa"})", R"({"alg":"RS256","kid":"rsa","kid":"rsa"})",
        R"({"alg":"RS256","\u0061lg":"RS256","kid":"rsa"})"}) {
    CHECK_FALSE(bench.takes(rsa_signer().sign_text(header, claims)));
  }
  const std::string header = R"({"alg":"RS256","kid":"rsa"})";
  CHECK(bench.takes(rsa_signer().sign_text(header, claims)));
  CHECK_FALSE(bench.takes(rsa_signer().sign_text(header, more + R"(,"sub":"eve"})")));
  CHECK_FALSE(bench.takes(rsa_signer().sign_text(header, more + R"(,"ex\u0070":9999999999})")));
}

TEST_CASE("extensions that would change what the rest means are refused") {
  JwtBench bench;
  for (const json& header :
       {json{{"crit", {"exp"}}, {"exp", 1}}, json{{"crit", json::array()}}, json{{"crit", nullptr}},
        json{{"b64", false}, {"crit", {"b64"}}}, json{{"b64", false}}, json{{"b64", true}}}) {
    CHECK_FALSE(bench.takes(rsa_signer().sign(bench.claims(), header)));
  }
}

TEST_CASE("what is no token is refused quickly") {
  JwtBench bench;
  const std::string good = rsa_signer().sign(bench.claims());
  REQUIRE(bench.takes(good));
  for (const std::string& bad : {
           std::string(),
           std::string("."),
           std::string(".."),
           std::string("..."),
           std::string("a.b.c"),
           good + ".",
           "." + good,
           good + "=",
           " " + good,
           good + "\n",
           good + "." + good,
           std::string(1'000'000, 'a'),
           std::string(1'000'000, '.'),
           good + std::string(1'000'000, 'A'),
           std::string("\0\0\0", 3),
           std::string("{\"payload\":\"\",\"signatures\":[]}"),
           rsa_signer().sign_text("[]", "{}"),
           rsa_signer().sign_text("null", "{}"),
           rsa_signer().sign_text(R"({"alg":"RS256","kid":"rsa"})", "[]"),
           rsa_signer().sign_text(R"({"alg":"RS256","kid":"rsa"})", ""),
           rsa_signer().sign_text(R"({"alg":["RS256"],"kid":"rsa"})", bench.claims().dump()),
           rsa_signer().sign_text(R"({"alg":"RS256","kid":"rsa"})", bench.claims().dump() + "x"),
           rsa_signer().sign_text(R"({"alg":"RS256","kid":"rsa"} )" + std::string(1, '\0'),
                                  bench.claims().dump()),
           rsa_signer().sign_text(R"({"alg":"RS256","kid":"rsa"})",
                                  std::string(1000, '[') + std::string(1000, ']')),
       }) {
    CAPTURE(bad.size());
    CHECK_FALSE(bench.takes(bad));
  }
  // No byte of it may change.
  for (std::size_t i = 0; i < good.size(); i += 7) {
    std::string changed = good;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    CHECK_FALSE(bench.takes(changed));
  }
}

TEST_CASE("a signature of another key, algorithm or text is worth nothing") {
  JwtBench bench;
  const std::string a = rsa_signer().sign(bench.claims());
  const std::string b = rsa_signer().sign(bench.claims("sub", "eve"));
  CHECK_FALSE(bench.takes(b.substr(0, b.rfind('.')) + a.substr(a.rfind('.'))));
  CHECK_FALSE(bench.takes(Signer::rsa("rsa").sign(bench.claims())));
  CHECK_FALSE(bench.takes(rsa_signer().sign(bench.claims(), {{"kid", "ec"}})));
  CHECK_FALSE(bench.takes(rsa_signer().sign(bench.claims(), {{"alg", "PS256"}})));
  CHECK_FALSE(bench.takes(rsa_signer().sign(bench.claims(), {{"alg", "ES256"}, {"kid", "ec"}})));
  // R and S of zero, which verified everything in CVE-2022-21449.
  const std::string head = to_base64url(R"({"alg":"ES256","kid":"ec"})");
  const std::string text = head + '.' + to_base64url(bench.claims().dump());
  CHECK_FALSE(bench.takes(text + '.' + to_base64url(std::string(64, '\0'))));
  CHECK_FALSE(bench.takes(text + '.' + to_base64url(std::string(63, '\0') + '\1')));
}

}  // namespace
}  // namespace aiserve
