// Keys that are fetched: from an issuer that is down, slow, huge, or changes them; on simulated
// time.
#include <doctest/doctest.h>

#include "aiserve/core/telemetry.hpp"
#include "aiserve/security/jwt_verifier.hpp"
#include "aiserve/testing/sim_runtime.hpp"
#include "core/runtime_core.hpp"
#include "unit/security/signer.hpp"

namespace aiserve {
namespace {

using namespace std::chrono_literals;
using testing::ec_signer;
using testing::json;
using testing::rsa_signer;
using testing::Signer;

// An issuer, and a verifier that fetches its keys. Started by the test.
struct Issuer {
  explicit Issuer(JwtVerifierOptions options = {})
      : verifier(sim.runtime(), completed(std::move(options))) {}

  JwtVerifierOptions completed(JwtVerifierOptions options) {
    options.issuer = "https://id.example";
    options.audience = "classifier";
    options.fetch_keys = [this](const Context& ctx) { return fetch(ctx); };
    return options;
  }
  Async<std::string> fetch(const Context& ctx) {
    ++fetches;
    if (Result<void> waited = co_await sleep(ctx, takes); !waited) {
      ++cut_off;
      co_return std::move(waited).error();
    }
    if (throws) throw std::runtime_error("no route to host");
    if (down) co_return Error(Errc::unavailable, "no route to host");
    co_return keys;
  }

  json claims() {
    const auto since = sim.clock().wall_now().time_since_epoch();
    return testing::good_claims(std::chrono::duration_cast<std::chrono::seconds>(since).count());
  }
  std::string token(const Signer& signer = rsa_signer()) { return signer.sign(claims()); }

  // Time with the ticks of a Runtime that has threads.
  void pass(std::chrono::seconds time) {
    for (std::chrono::seconds i{0}; i < time; ++i) {
      sim.advance(1s);
      sim.runtime().core().tick();
      sim.run_until_idle();
    }
  }

  struct Answer {
    std::optional<Result<Principal>> result;
  };
  // Asks; the answer is there at once, or after some time.
  std::shared_ptr<Answer> ask(const std::string& token) {
    auto answer = std::make_shared<Answer>();
    answer->result = verifier.try_verify(token);
    if (answer->result) return answer;
    spawn(
        sim.runtime(), Context(ContextOptions{}),
        [this](const Context& ctx, const std::string& text,
               const std::shared_ptr<Answer>& to) -> Async<void> { return wait(ctx, text, to); },
        token, answer);
    sim.run_until_idle();
    return answer;
  }
  Async<void> wait(const Context& ctx, std::string text, std::shared_ptr<Answer> to) {
    to->result = co_await verifier.verify(ctx, text);
    co_return success();
  }

  Telemetry telemetry{{.log_sink = [](LogLevel, std::string_view) {}}};
  testing::SimRuntime sim{{.telemetry = &telemetry}};
  std::string keys = testing::jwks(rsa_signer());
  Duration takes{};
  bool down = false;
  bool throws = false;
  int fetches = 0;
  int cut_off = 0;
  JwtVerifier verifier;
};

Errc code(const std::shared_ptr<Issuer::Answer>& answer) {
  return answer->result && !answer->result->ok() ? answer->result->error().code() : Errc{};
}
bool taken(const std::shared_ptr<Issuer::Answer>& answer) {
  return answer->result && answer->result->ok();
}

TEST_CASE("keys are fetched when the runtime starts, and it is ready when they are there") {
  Issuer issuer;
  issuer.takes = 3s;
  issuer.sim.start();
  CHECK(issuer.fetches == 1);
  CHECK_FALSE(issuer.sim.runtime().readiness().ready);
  issuer.pass(3s);
  CHECK(issuer.sim.runtime().readiness().ready);
  CHECK(issuer.verifier.keys() == 1);
  CHECK(taken(issuer.ask(issuer.token())));
}

TEST_CASE("tokens that come before the keys wait for the one fetch") {
  Issuer issuer;
  issuer.takes = 2s;
  issuer.sim.start();
  std::vector<std::shared_ptr<Issuer::Answer>> answers;
  for (int i = 0; i < 100; ++i) answers.push_back(issuer.ask(issuer.token()));
  for (const auto& answer : answers) CHECK_FALSE(answer->result.has_value());
  issuer.pass(2s);
  for (const auto& answer : answers) CHECK(taken(answer));
  CHECK(issuer.fetches == 1);
}

TEST_CASE("an issuer that is down at the start is asked again, without being asked for") {
  Issuer issuer;
  issuer.down = true;
  issuer.sim.start();
  CHECK(code(issuer.ask(issuer.token())) == Errc::unavailable);
  CHECK(issuer.fetches == 1);
  issuer.pass(60s);
  CHECK(issuer.fetches >= 5);
  CHECK(issuer.fetches <= 7);
  issuer.down = false;
  issuer.throws = true;
  issuer.pass(15s);
  CHECK(issuer.verifier.keys() == 0);
  issuer.throws = false;
  issuer.pass(15s);
  CHECK(taken(issuer.ask(issuer.token())));
}

TEST_CASE("keys stay in use while the issuer is down, but not for ever") {
  Issuer issuer({.refresh_after = 60s, .max_stale = 600s});
  issuer.sim.start();
  const std::string token = issuer.token();
  CHECK(taken(issuer.ask(token)));
  issuer.down = true;
  issuer.pass(590s);
  CHECK(taken(issuer.ask(token)));
  CHECK(taken(issuer.ask(issuer.token())));
  issuer.pass(20s);
  CHECK(code(issuer.ask(token)) == Errc::unavailable);  // what was verified before, too
  issuer.down = false;
  issuer.pass(11s);
  CHECK(taken(issuer.ask(issuer.token())));
}

TEST_CASE("new keys are found when the first token comes that needs them") {
  Issuer issuer;
  issuer.sim.start();
  issuer.pass(15s);
  const std::string old = issuer.token();
  CHECK(taken(issuer.ask(old)));
  issuer.keys = testing::jwks(rsa_signer(), ec_signer());
  issuer.takes = 1s;
  const auto first = issuer.ask(issuer.token(ec_signer()));
  const auto second = issuer.ask(issuer.token(ec_signer()));
  CHECK(taken(issuer.ask(issuer.token())));  // nobody else waits
  issuer.pass(1s);
  CHECK(taken(first));
  CHECK(taken(second));
  CHECK(issuer.fetches == 2);
  // What is no longer there is not trusted, not even what was verified with it.
  issuer.keys = testing::jwks(ec_signer());
  issuer.pass(310s);
  CHECK_FALSE(taken(issuer.ask(old)));
}

TEST_CASE("10,000 unknown keys are one fetch per cool-down") {
  Issuer issuer({.cool_down = 10s});
  issuer.sim.start();
  issuer.pass(20s);
  const std::string claims = issuer.claims().dump();
  int refused = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string header = R"({"alg":"RS256","kid":"unknown)" + std::to_string(i) + "\"}";
    const std::string token =
        testing::to_base64url(header) + '.' + testing::to_base64url(claims) + ".AAAA";
    if (code(issuer.ask(token)) == Errc::unauthenticated) ++refused;
    if (i % 100 == 99) issuer.pass(1s);
  }
  CHECK(refused == 10'000);
  CHECK(issuer.fetches <= 12);  // in 100 s, the one at the start included
  CHECK(issuer.fetches >= 9);
  CHECK(taken(issuer.ask(issuer.token())));
}

TEST_CASE("an issuer that does not answer holds nobody up for longer than the timeout") {
  Issuer issuer({.fetch_timeout = 2s});
  issuer.sim.start();
  issuer.pass(20s);
  issuer.takes = 1h;
  const auto unknown = issuer.ask(issuer.token(ec_signer()));
  CHECK_FALSE(unknown->result.has_value());
  CHECK(taken(issuer.ask(issuer.token())));
  issuer.pass(2s);
  CHECK(unknown->result.has_value());
  CHECK_FALSE(taken(unknown));
  CHECK(issuer.cut_off == 1);
  issuer.takes = 0s;
  issuer.keys = testing::jwks(rsa_signer(), ec_signer());
  issuer.pass(10s);
  CHECK(taken(issuer.ask(issuer.token(ec_signer()))));
}

TEST_CASE("answers that are huge or rubbish leave the keys there are") {
  Issuer issuer({.refresh_after = 60s, .max_jwks = 4096});
  issuer.sim.start();
  CHECK(taken(issuer.ask(issuer.token())));
  const std::string good = issuer.keys;
  for (const std::string& bad :
       {good + std::string(1'000'000, ' '), std::string(), std::string("{"),
        std::string("<html>502</html>"), std::string(R"({"keys":[]})"), std::string(4000, '[')}) {
    issuer.keys = bad;
    const int before = issuer.fetches;
    issuer.pass(61s);
    CHECK(issuer.fetches > before);
    CHECK(issuer.verifier.keys() == 1);
    CHECK(taken(issuer.ask(issuer.token())));
  }
}

TEST_CASE("nobody waits for a fetch that a draining runtime refuses") {
  Issuer issuer;
  issuer.sim.start();
  issuer.pass(60s);
  const int before = issuer.fetches;
  issuer.sim.runtime().core().spawned().close();
  const std::string token = issuer.token(ec_signer());
  for (int i = 0; i < 3; ++i) {
    const auto who =
        block_on(issuer.sim.runtime(), issuer.verifier.verify(Context::background(), token));
    CHECK_FALSE(who.ok());
  }
  CHECK(issuer.fetches == before);
  CHECK(taken(issuer.ask(issuer.token())));
}

TEST_CASE("who gives up waiting for keys is told why, and the fetch goes on") {
  Issuer issuer;
  issuer.takes = 3s;
  issuer.sim.start();
  const std::string token = issuer.token();
  std::optional<Result<Principal>> early;
  const Context hasty({.deadline = Deadline::after(issuer.sim.clock().now(), 1s)});
  spawn(issuer.sim.runtime(), hasty, [&](const Context& ctx) -> Async<void> {
    early = co_await issuer.verifier.verify(ctx, token);
    co_return success();
  });
  issuer.pass(1s);
  REQUIRE(early.has_value());
  CHECK(early->error().code() == Errc::deadline_exceeded);
  issuer.pass(2s);
  CHECK(taken(issuer.ask(token)));
  CHECK(issuer.fetches == 1);
}

}  // namespace
}  // namespace aiserve
