// A verifier under requests from several I/O threads while the keys of its issuer change.
#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "aiserve/core/telemetry.hpp"
#include "aiserve/security/jwt_verifier.hpp"
#include "unit/security/signer.hpp"

namespace aiserve {
namespace {

using namespace std::chrono_literals;
using testing::ec_signer;
using testing::Signer;

std::int64_t seconds_now() {
  const auto since = Clock::steady().wall_now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(since).count();
}

TEST_CASE("threads verify tokens of old and new keys while they change") {
  Telemetry telemetry({.log_sink = [](LogLevel, std::string_view) {}});
  Runtime runtime({.io_threads = 2, .telemetry = &telemetry});
  const Signer other = Signer::ec("other");
  std::atomic<int> fetches{0};
  JwtVerifier verifier(runtime, {.issuer = "https://id.example",
                                 .audience = "classifier",
                                 .fetch_keys = [&](const Context&) -> Async<std::string> {
                                   const bool both = fetches.fetch_add(1) != 0;
                                   co_return both ? testing::jwks(ec_signer(), other)
                                                  : testing::jwks(ec_signer());
                                 },
                                 .max_cached = 64,
                                 .refresh_after = 1s,
                                 .cool_down = 1s});
  runtime.start();
  std::vector<std::string> tokens;
  for (int i = 0; i < 20; ++i) {
    testing::json claims = testing::good_claims(seconds_now());
    claims["sub"] = "user" + std::to_string(i);
    tokens.push_back(ec_signer().sign(claims));
  }
  const std::string fresh = other.sign(testing::good_claims(seconds_now()));
  std::atomic<int> taken{0};
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const std::string& token = tokens[static_cast<std::size_t>((i * 7 + t) % 20)];
        std::optional<Result<Principal>> who = verifier.try_verify(token);
        if (!who) who = block_on(runtime, verifier.verify(Context::background(), token));
        if (who->ok()) taken.fetch_add(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(taken.load() == 800);
  CHECK(verifier.cached() <= 64);
  // The new key comes with the next fetch, at most a cool-down later.
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  bool known = false;
  while (!known && std::chrono::steady_clock::now() < deadline) {
    known = block_on(runtime, verifier.verify(Context::background(), fresh)).ok();
  }
  CHECK(known);
  runtime.shutdown();
}

}  // namespace
}  // namespace aiserve
