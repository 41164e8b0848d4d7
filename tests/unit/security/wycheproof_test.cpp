// Project Wycheproof's vectors for JOSE (AISERVE_VECTORS).
#include <set>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "security/jwk_set.hpp"
#include "security/jws.hpp"
#include "unit/core/test_paths.hpp"

namespace aiserve::detail {
namespace {

using nlohmann::json;

// Public keys where there are any; a set of one where there is one key.
std::string key_set(const json& group) {
  const json& key = group.contains("public") ? group["public"] : group["private"];
  return key.contains("keys") ? key.dump() : json{{"keys", json::array({key})}}.dump();
}

bool verifies(const Result<JwkSet>& keys, const std::string& token) {
  const Result<Jws> jws = parse_jws(token);
  if (!keys || !jws) return false;
  const Jwk* const key = keys->find(jws->key_id, jws->algorithm);
  return key != nullptr && key->verify(jws->algorithm, jws->signed_text, jws->signature);
}

struct Tally {
  int valid = 0;
  int invalid = 0;
};

Tally run(const char* name, const std::set<int>& quirks) {
  Tally tally;
  const auto path = vectors_folder() / "wycheproof/testvectors_v1" / name;
  if (!std::filesystem::exists(path)) {
    MESSAGE("SKIPPED: no vectors, set AISERVE_VECTORS");
    return tally;
  }
  const json file = json::parse(read_whole(path));
  for (const json& group : file["testGroups"]) {
    const Result<JwkSet> keys = JwkSet::parse(key_set(group), {.secrets = true});
    for (const json& test : group["tests"]) {
      if (!test.contains("jws") || quirks.count(test["tcId"].get<int>()) != 0) continue;
      const std::string token =
          test["jws"].is_string() ? test["jws"].get<std::string>() : test["jws"].dump();
      const bool taken = verifies(keys, token);
      const std::string result = test["result"];
      INFO(name, " ", test["tcId"].dump(), " ", test["comment"].dump(), " ",
           group["comment"].dump(), " ", keys.ok() ? "" : keys.error().message());
      if (result == "valid") CHECK(taken);
      if (result == "invalid") CHECK_FALSE(taken);
      ++(result == "valid" ? tally.valid : tally.invalid);
    }
  }
  return tally;
}

TEST_CASE("Wycheproof: of signatures all that are invalid are refused, all valid ones taken") {
  // 367 and 370, which are the same, are the valid token of their group labelled invalid; 372 and
  // 373, labelled valid, hold a '?' in their base64url.
  const Tally tally = run("json_web_signature_test.json", {367, 370, 372, 373});
  if (tally.valid != 0) CHECK(tally.valid + tally.invalid > 390);
}

TEST_CASE("Wycheproof: key sets that are ambiguous are refused") {
  const Tally tally = run("json_web_key_test.json", {});
  if (tally.valid != 0) CHECK(tally.invalid > 5);
}

TEST_CASE("Wycheproof: keys are used for what they are for") {
  const Tally tally = run("json_web_crypto_test.json", {});
  if (tally.valid != 0) CHECK(tally.invalid > 20);
}

}  // namespace
}  // namespace aiserve::detail
