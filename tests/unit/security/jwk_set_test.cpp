#include "security/jwk_set.hpp"

#include <doctest/doctest.h>

#include "unit/security/signer.hpp"

namespace aiserve::detail {
namespace {

using testing::ec_signer;
using testing::json;
using testing::rsa_signer;
using testing::Signer;

Result<JwkSet> parse(const json& keys, bool secrets = false) {
  return JwkSet::parse(json{{"keys", keys}}.dump(), {.secrets = secrets});
}

json changed(json key, const char* name, json value) {
  key[name] = std::move(value);
  return key;
}

TEST_CASE("keys of all kinds verify what they have signed, and nothing else") {
  const std::string text = "a.b";
  for (const Signer& signer :
       {Signer::rsa("1", "RS384"), Signer::rsa("2", "PS256"), Signer::rsa("3", "PS512"),
        Signer::ec("4", "ES256"), Signer::ec("5", "ES384"), Signer::ec("6", "ES512"),
        Signer::eddsa("7"), Signer::secret("8", std::string(64, 'k'), "HS512")}) {
    CAPTURE(signer.id());
    const Result<JwkSet> set = parse(json::array({signer.jwk()}), true);
    REQUIRE(set.ok());
    const auto algorithm = *parse_jws_algorithm(signer.jwk()["alg"].get<std::string>());
    const Jwk* const key = set->find(signer.id(), algorithm);
    REQUIRE(key != nullptr);
    std::string signature = signer.signature(text);
    CHECK(key->verify(algorithm, text, signature));
    CHECK_FALSE(key->verify(algorithm, "a.c", signature));
    CHECK_FALSE(key->verify(algorithm, text, signature + '\0'));
    CHECK_FALSE(key->verify(algorithm, text, signature.substr(1)));
    CHECK_FALSE(key->verify(algorithm, text, ""));
    signature.back() = static_cast<char>(signature.back() ^ 1);
    CHECK_FALSE(key->verify(algorithm, text, signature));
  }
}

TEST_CASE("a key allows the algorithm it names, or those of its kind") {
  json bare = rsa_signer().jwk();
  bare.erase("alg");
  const Result<JwkSet> bound = parse(json::array({rsa_signer().jwk()}));
  const Result<JwkSet> free = parse(json::array({bare}));
  CHECK(bound->find("rsa", JwsAlgorithm::rs256) != nullptr);
  CHECK(bound->find("rsa", JwsAlgorithm::rs512) != nullptr);  // a stronger hash
  CHECK(bound->find("rsa", JwsAlgorithm::ps256) == nullptr);
  CHECK(free->find("rsa", JwsAlgorithm::ps384) != nullptr);
  for (const JwsAlgorithm other : {JwsAlgorithm::es256, JwsAlgorithm::eddsa, JwsAlgorithm::hs256}) {
    CHECK(free->find("rsa", other) == nullptr);
  }
  const Result<JwkSet> strong = parse(json::array({changed(bare, "alg", "RS512")}));
  CHECK(strong->find("rsa", JwsAlgorithm::rs256) == nullptr);
  json curve = ec_signer().jwk();
  curve.erase("alg");
  const Result<JwkSet> ec = parse(json::array({curve}));
  CHECK(ec->find("ec", JwsAlgorithm::es256) != nullptr);
  CHECK(ec->find("ec", JwsAlgorithm::es384) == nullptr);
}

TEST_CASE("without an id a key is found only if no other would do") {
  const Signer second = Signer::ec("second");
  const Result<JwkSet> one = parse(json::array({rsa_signer().jwk(), ec_signer().jwk()}));
  CHECK(one->find("", JwsAlgorithm::es256) != nullptr);
  const Result<JwkSet> two = parse(json::array({second.jwk(), ec_signer().jwk()}));
  CHECK(two->find("", JwsAlgorithm::es256) == nullptr);
  CHECK(two->find("second", JwsAlgorithm::es256) != nullptr);
  CHECK(two->find("third", JwsAlgorithm::es256) == nullptr);
  CHECK(two->knows("second"));
  CHECK_FALSE(two->knows(""));
}

TEST_CASE("keys that are of no use are left out, and the others stay") {
  const json good = rsa_signer().jwk();
  const json ec = changed(ec_signer().jwk(), "kid", "x");
  const std::string zeros = to_base64url(std::string(32, '\0'));
  for (const json& bad : {
           changed(ec, "use", "enc"),
           changed(ec, "use", 7),
           changed(ec, "key_ops", json::array({"sign"})),
           changed(ec, "key_ops", "verify"),
           changed(ec, "alg", "none"),
           changed(ec, "alg", "ES384"),
           changed(ec, "alg", "RS256"),
           changed(ec, "alg", nullptr),
           changed(ec, "kid", 7),
           changed(ec, "kty", "DSA"),
           changed(ec, "kty", "RSA"),
           changed(ec, "crv", "secp256k1"),
           changed(ec, "x", zeros),                              // not on the curve
           changed(ec, "x", "AA" + ec["x"].get<std::string>()),  // too long
           changed(ec, "x", ec["x"].get<std::string>() + "="),   // padded
           changed(changed(good, "kid", "x"), "e", "AQ"),        // 1
           changed(changed(good, "kid", "x"), "e", "AAAA"),      // 0
           changed(changed(good, "kid", "x"), "e", "Ag"),        // even
           changed(changed(good, "kid", "x"), "e", "________"),  // 48 bits
           changed(changed(good, "kid", "x"), "n", good["e"]),   // 17 bits
           changed(changed(good, "kid", "x"), "n",
                   to_base64url(std::string(2000, '\x7f'))),  // 16,000 bits
           Signer::rsa("x", "RS256", 1024).jwk(),
           json::object(),
           json("text"),
           json(nullptr),
       }) {
    CAPTURE(bad.dump());
    const Result<JwkSet> set = parse(json::array({bad, good}));
    REQUIRE(set.ok());
    CHECK(set->size() == 1);
    CHECK(set->left_out().size() == 1);
    CHECK(set->find("rsa", JwsAlgorithm::rs256) != nullptr);
    CHECK_FALSE(parse(json::array({bad})).ok());
  }
  CHECK(parse(json::array({changed(ec, "key_ops", json::array({"verify"}))})).ok());
}

TEST_CASE("sets that somebody is about to get wrong are refused as a whole") {
  const json rsa = rsa_signer().jwk();
  const json secret = Signer::secret("s", std::string(32, 'k')).jwk();
  CHECK_FALSE(parse(json::array({rsa, changed(ec_signer().jwk(), "kid", "rsa")})).ok());
  const json twin = changed(Signer::rsa("rsa", "RS256", 1024).jwk(), "use", "sig");
  CHECK_FALSE(parse(json::array({rsa, twin})).ok());  // though it could not be used
  CHECK_FALSE(parse(json::array({rsa, secret}), true).ok());
  CHECK_FALSE(parse(json::array({secret})).ok());
  CHECK_FALSE(parse(json::array({changed(rsa, "d", "AQAB")})).ok());
  CHECK_FALSE(parse(json::array({Signer::secret("s", std::string(31, 'k')).jwk()}), true).ok());
  CHECK(parse(json::array({secret}), true).ok());
}

TEST_CASE("what is no key set is refused") {
  for (const char* text :
       {"", "{", "[]", "7", "null", "{}", R"({"keys":{}})", R"({"keys":[]})", R"({"keys":7})",
        R"({"keys":[],"keys":[]})", R"({"keys":[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]})"}) {
    CAPTURE(text);
    CHECK_FALSE(JwkSet::parse(text, {}).ok());
  }
  json many = json::array();
  for (int i = 0; i < 101; ++i) many.push_back(json::object());
  many.push_back(rsa_signer().jwk());
  CHECK_FALSE(parse(many).ok());
}

}  // namespace
}  // namespace aiserve::detail
