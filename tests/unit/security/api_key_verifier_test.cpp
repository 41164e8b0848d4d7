#include "aiserve/security/api_key_verifier.hpp"

#include <doctest/doctest.h>

#include "aiserve/testing/sim_runtime.hpp"

namespace aiserve {
namespace {

using namespace std::chrono_literals;

ApiKeySpec spec(const ApiKey& key, std::string owner) {
  return {.digest = key.digest,
          .owner = std::move(owner),
          .tenant = TenantId("acme"),
          .scopes = {"infer"}};
}

struct Keys {
  explicit Keys(std::vector<ApiKeySpec> keys = {}) : verifier(sim.runtime(), std::move(keys)) {}
  Result<Principal> ask(std::string_view text) { return verifier.try_verify(text).value(); }

  testing::SimRuntime sim;
  ApiKeyVerifier verifier;
};

TEST_CASE("a key says who its owner is, anything else says nothing") {
  const ApiKey key = make_api_key("acme");
  Keys keys({spec(key, "robot")});
  const Result<Principal> who = keys.ask(key.text);
  REQUIRE(who.ok());
  CHECK(who->subject() == "robot");
  CHECK(who->tenant() == TenantId("acme"));
  CHECK(who->has_scope("infer"));
  for (const std::string& wrong : {std::string(), key.digest, key.text + "A", key.text.substr(1),
                                   make_api_key("acme").text, std::string(1'000'000, 'x')}) {
    CHECK(keys.ask(wrong).error().code() == Errc::unauthenticated);
  }
  CHECK(block_on(keys.sim.runtime(), keys.verifier.verify(Context::background(), key.text)).ok());
}

TEST_CASE("made keys differ, name their prefix and are known by their digest only") {
  const ApiKey a = make_api_key("acme");
  const ApiKey b = make_api_key("acme");
  CHECK(a.text.starts_with("acme_"));
  CHECK(a.text.size() == 5 + 43);
  CHECK(a.text != b.text);
  CHECK(a.digest == api_key_digest(a.text));
  CHECK(api_key_digest("abc") ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  for (const char* bad : {"", "a_b", "a b", "\xc3\xa4", "abcdefghijklmnopqrstuvwxyzabcdefg"}) {
    CHECK_THROWS_AS((void)make_api_key(bad), ConfigError);
  }
}

TEST_CASE("an owner changes keys without a gap, and has two at most") {
  const ApiKey first = make_api_key();
  const ApiKey second = make_api_key();
  const ApiKey third = make_api_key();
  Keys keys({spec(first, "robot")});
  CHECK(keys.verifier.add(spec(second, "robot")).ok());
  CHECK(keys.ask(first.text).ok());
  CHECK(keys.ask(second.text).ok());
  CHECK(keys.verifier.add(spec(third, "robot")).error().code() == Errc::conflict);
  CHECK(keys.verifier.add(spec(third, "other")).ok());
  CHECK(keys.verifier.remove(first.digest));
  CHECK_FALSE(keys.verifier.remove(first.digest));
  CHECK_FALSE(keys.ask(first.text).ok());
  CHECK(keys.ask(second.text).ok());
  CHECK(keys.verifier.add(spec(first, "robot")).ok());
  CHECK(keys.verifier.size() == 3);
}

TEST_CASE("keys expire, and those that have don't count") {
  Keys keys;
  const ApiKey key = make_api_key();
  ApiKeySpec soon = spec(key, "robot");
  soon.expires = keys.sim.clock().wall_now() + 10s;
  CHECK(keys.verifier.add(soon).ok());
  CHECK(keys.verifier.add(spec(make_api_key(), "robot")).ok());
  CHECK(keys.verifier.add(spec(make_api_key(), "robot")).error().code() == Errc::conflict);
  keys.sim.advance(9s);
  CHECK(keys.ask(key.text).ok());
  keys.sim.advance(1s);
  CHECK(keys.ask(key.text).error().message() == "the key has expired");
  CHECK(keys.verifier.add(spec(make_api_key(), "robot")).ok());
}

TEST_CASE("keys that are none are refused when they are given") {
  const ApiKey key = make_api_key();
  Keys keys({spec(key, "robot")});
  const auto code = [&](ApiKeySpec bad) {
    return keys.verifier.add(std::move(bad)).error().code();
  };
  CHECK(code(spec(key, "robot")) == Errc::already_exists);
  CHECK(code(spec(make_api_key(), "")) == Errc::invalid_argument);
  for (const std::string& digest :
       {std::string(), key.text, key.digest + "0", std::string(64, 'g'), std::string(64, 'A')}) {
    CHECK(code({.digest = digest, .owner = "robot"}) == Errc::invalid_argument);
    CHECK_FALSE(keys.verifier.remove(digest));
  }
  testing::SimRuntime sim;
  CHECK_THROWS_AS(ApiKeyVerifier(sim.runtime(), {{.digest = "x", .owner = "y"}}), ConfigError);
}

}  // namespace
}  // namespace aiserve
