#include "aiserve/security/introspection_verifier.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "aiserve/core/telemetry.hpp"
#include "aiserve/testing/sim_runtime.hpp"

namespace aiserve {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

struct Asked {
  explicit Asked(IntrospectionOptions options = {})
      : verifier(sim.runtime(), completed(std::move(options))) {
    sim.start();
  }
  IntrospectionOptions completed(IntrospectionOptions options) {
    options.post = [this](const Context& ctx, const std::string& form) { return post(ctx, form); };
    return options;
  }
  Async<std::string> post(const Context& ctx, const std::string& form) {
    ++questions;
    last_form = form;
    if (Result<void> waited = co_await sleep(ctx, takes); !waited) co_return waited.error();
    if (down) co_return Error(Errc::unavailable, "no route to host");
    co_return answer;
  }
  std::int64_t now() {
    const auto since = sim.clock().wall_now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::seconds>(since).count();
  }
  Result<Principal> ask(const std::string& token) {
    if (auto known = verifier.try_verify(token)) return *known;
    return block_on(sim.runtime(), verifier.verify(Context::background(), token));
  }

  Telemetry telemetry{{.log_sink = [](LogLevel, std::string_view) {}}};
  testing::SimRuntime sim{{.telemetry = &telemetry}};
  std::string answer = R"({"active":true,"sub":"ada","scope":"infer train"})";
  std::string last_form;
  Duration takes{};
  bool down = false;
  int questions = 0;
  IntrospectionVerifier verifier;
};

TEST_CASE("the issuer says who a token is of, and is not asked again for a while") {
  Asked asked({.claims = {"client_id"}, .max_age = 60s});
  asked.answer = R"({"active":true,"sub":"ada","scope":"infer train","client_id":"app"})";
  const Result<Principal> who = asked.ask("a+b/c=");
  REQUIRE(who.ok());
  CHECK(who->subject() == "ada");
  CHECK(who->tenant() == TenantId("ada"));
  CHECK(who->has_scope("train"));
  CHECK(who->claim("client_id") == "app");
  CHECK(asked.last_form == "token_type_hint=access_token&token=a%2Bb%2Fc%3D");
  asked.sim.advance(59s);
  CHECK(asked.ask("a+b/c=").ok());
  CHECK(asked.questions == 1);
  asked.answer = R"({"active":false})";  // revoked
  asked.sim.advance(1s);
  CHECK(asked.ask("a+b/c=").error().code() == Errc::unauthenticated);
  CHECK(asked.questions == 2);
}

TEST_CASE("a token is not believed for longer than it lives") {
  Asked asked({.max_age = 60s});
  asked.answer = json{{"active", true}, {"sub", "ada"}, {"exp", asked.now() + 10}}.dump();
  CHECK(asked.ask("t").ok());
  asked.sim.advance(9s);
  CHECK(asked.ask("t").ok());
  CHECK(asked.questions == 1);
  asked.sim.advance(1s);
  CHECK_FALSE(asked.ask("t").ok());
}

TEST_CASE("tokens that are not active are refused, and asked about rarely") {
  Asked asked({.refused_for = 10s});
  asked.answer = R"({"active":false})";
  for (int i = 0; i < 100; ++i) CHECK_FALSE(asked.ask("bad").ok());
  CHECK(asked.questions == 1);
  asked.sim.advance(10s);
  CHECK_FALSE(asked.ask("bad").ok());
  CHECK(asked.questions == 2);
}

TEST_CASE("what the answer says is looked at") {
  Asked asked({.issuer = "https://id.example", .audience = "classifier", .refused_for = 0s});
  const json good{{"active", true},
                  {"sub", "ada"},
                  {"iss", "https://id.example"},
                  {"aud", {"classifier"}},
                  {"exp", asked.now() + 60},
                  {"nbf", asked.now() - 60}};
  const auto with = [&](const char* name, json value) {
    json changed = good;
    changed[name] = std::move(value);
    asked.answer = changed.dump();
    return asked.ask(changed.dump()).ok();
  };
  CHECK(with("sub", "ada"));
  CHECK_FALSE(with("iss", "https://evil.example"));
  CHECK_FALSE(with("aud", "other"));
  CHECK_FALSE(with("exp", asked.now()));
  CHECK_FALSE(with("exp", "9999999999"));
  CHECK_FALSE(with("nbf", asked.now() + 60));
  CHECK_FALSE(with("sub", 7));
  CHECK_FALSE(with("active", false));
}

TEST_CASE("an issuer that cannot be asked, or speaks rubbish, is 503 and is not remembered") {
  Asked asked;
  asked.down = true;
  CHECK(asked.ask("t").error().code() == Errc::unavailable);
  asked.down = false;
  for (const std::string& rubbish :
       {std::string(), std::string("<html>"), std::string("[]"), std::string("{}"),
        std::string(R"({"active":"true","sub":"ada"})"), std::string(R"({"active":1,"sub":"a"})"),
        R"({"active":true,"sub":"ada","x":")" + std::string(70'000, 'x') + "\"}",
        std::string(R"({"active":false,"active":true,"sub":"ada"})")}) {
    asked.answer = rubbish;
    CHECK(asked.ask("t").error().code() == Errc::unavailable);
  }
  asked.answer = R"({"active":true,"sub":"ada"})";
  CHECK(asked.ask("t").ok());
}

TEST_CASE("questions are bounded in time and number") {
  Asked asked({.max_in_flight = 2, .timeout = 1s});
  asked.takes = 1h;
  std::vector<Errc> ended;
  for (int i = 0; i < 3; ++i) {
    spawn(
        asked.sim.runtime(), Context(ContextOptions{}),
        [&](const Context& ctx, const std::string& token) -> Async<void> {
          const Result<Principal> who = co_await asked.verifier.verify(ctx, token);
          ended.push_back(who.error().code());
          co_return success();
        },
        "token" + std::to_string(i));
  }
  asked.sim.run_until_idle();
  CHECK(ended == std::vector<Errc>{Errc::overloaded});
  asked.sim.advance(1s);
  CHECK(ended == std::vector<Errc>{Errc::overloaded, Errc::unavailable, Errc::unavailable});
  CHECK(asked.questions == 2);
  asked.takes = 0s;
  CHECK(asked.ask("token0").ok());
  CHECK(asked.ask(std::string(10'000, 'x')).error().code() == Errc::unauthenticated);
}

// Callers that ask about tokens side by side, each with a Context of its own.
struct Crowd : Asked {
  explicit Crowd(IntrospectionOptions options = {}) : Asked(std::move(options)) { takes = 1s; }
  Context start(const std::string& token, Duration patience = 1h) {
    const auto deadline = Deadline::after(sim.clock().now(), patience);
    const Context own = Context(ContextOptions{}).with_deadline(deadline);
    const auto ask = [this](const Context& ctx, const std::string& shown) -> Async<void> {
      const Result<Principal> who = co_await verifier.verify(ctx, shown);
      ended.push_back(who.ok() ? who->subject() : std::string(traits(who.error().code()).label));
      co_return success();
    };
    spawn(sim.runtime(), own, ask, token);
    sim.run_until_idle();
    return own;
  }
  std::vector<std::string> ended;
};
using Ends = std::vector<std::string>;

TEST_CASE("those who show the same token at the same time share one question") {
  Crowd crowd;
  for (int i = 0; i < 5; ++i) (void)crowd.start("same");
  (void)crowd.start("other");
  CHECK(crowd.questions == 2);
  CHECK(crowd.ended.empty());
  crowd.sim.advance(1s);
  CHECK(crowd.ended == Ends(6, "ada"));
  CHECK(crowd.questions == 2);
}

TEST_CASE("they share it where no answer is remembered, too, and a bad one as well") {
  Crowd crowd({.max_age = 0s, .refused_for = 0s});
  for (int i = 0; i < 3; ++i) (void)crowd.start("same");
  crowd.sim.advance(1s);
  CHECK(crowd.ended == Ends(3, "ada"));
  crowd.answer = R"({"active":false})";
  for (int i = 0; i < 3; ++i) (void)crowd.start("same");
  crowd.sim.advance(1s);
  CHECK(Ends(crowd.ended.begin() + 3, crowd.ended.end()) == Ends(3, "unauthenticated"));
  CHECK(crowd.questions == 2);
}

TEST_CASE("who waits and leaves takes the answer from nobody") {
  Crowd crowd;
  (void)crowd.start("t");
  const Context leaver = crowd.start("t");
  (void)crowd.start("t", 10ms);
  leaver.cancel(CancelReason::client_gone);
  crowd.sim.advance(10ms);
  CHECK(crowd.ended == Ends{"cancelled", "deadline_exceeded"});
  crowd.sim.advance(990ms);
  CHECK(crowd.ended.back() == "ada");
  CHECK(crowd.questions == 1);
}

TEST_CASE("when the one who asks for all leaves, the next asks") {
  Crowd crowd;
  const Context first = crowd.start("t");
  const Context second = crowd.start("t");
  for (int i = 0; i < 3; ++i) (void)crowd.start("t");
  second.cancel(CancelReason::client_gone);
  crowd.sim.advance(500ms);
  first.cancel(CancelReason::client_gone);
  crowd.sim.advance(500ms);
  CHECK(crowd.ended.size() == 2);
  CHECK(crowd.questions == 2);
  crowd.sim.advance(500ms);
  CHECK(Ends(crowd.ended.begin() + 2, crowd.ended.end()) == Ends(3, "ada"));
  CHECK(crowd.questions == 2);
  // The last one's end leaves nothing behind.
  const Context last = crowd.start("u");
  last.cancel(CancelReason::client_gone);
  crowd.sim.run_until_idle();
  (void)crowd.start("u");
  crowd.sim.advance(1s);
  CHECK(crowd.ended.back() == "ada");
}

TEST_CASE("an issuer that does not answer in time is asked once for all who wait") {
  Crowd crowd({.timeout = 2s});
  crowd.takes = 1h;
  for (int i = 0; i < 4; ++i) (void)crowd.start("t");
  crowd.sim.advance(2s);
  CHECK(crowd.ended == Ends(4, "unavailable"));
  CHECK(crowd.questions == 1);
  crowd.takes = 0s;
  CHECK(crowd.ask("t").ok());
}

TEST_CASE("callers who wait for others' questions are bounded") {
  Crowd crowd;
  for (int i = 0; i < 1 + 4096; ++i) (void)crowd.start("t");
  CHECK(crowd.ended.empty());
  (void)crowd.start("t");
  CHECK(crowd.ended == Ends{"overloaded"});
  crowd.sim.advance(1s);
  CHECK(std::count(crowd.ended.begin(), crowd.ended.end(), "ada") == 4097);
}

TEST_CASE("options that cannot work are named") {
  testing::SimRuntime sim;
  CHECK_THROWS_AS(IntrospectionVerifier(sim.runtime(), {}), ConfigError);
  const PostForm post = [](const Context&, const std::string&) -> Async<std::string> {
    co_return std::string();
  };
  CHECK_THROWS_AS(IntrospectionVerifier(sim.runtime(), {.post = post, .max_age = -1s}),
                  ConfigError);
  CHECK_THROWS_AS(IntrospectionVerifier(sim.runtime(), {.post = post, .max_in_flight = 0}),
                  ConfigError);
  CHECK_THROWS_AS(IntrospectionVerifier(sim.runtime(), {.post = post, .timeout = 1ms}),
                  ConfigError);
}

}  // namespace
}  // namespace aiserve
