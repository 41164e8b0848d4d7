// What a token costs to verify: for the first time, and when it was verified before.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "aiserve/core/id.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/security/jwt_verifier.hpp"
#include "http/groups.hpp"
#include "unit/security/signer.hpp"

namespace bench {
namespace {

using aiserve::JwtVerifier;
using aiserve::testing::Signer;
using Clock = std::chrono::steady_clock;

constexpr int kTokens = 1000;
constexpr int kLooks = 200'000;

// A verifier, and tokens that differ.
struct Tokens {
  Tokens() {
    const std::string path =
        std::filesystem::temp_directory_path() / ("bench_jwks_" + aiserve::make_id() + ".json");
    std::ofstream(path) << aiserve::testing::jwks(rsa, ec);
    verifier = std::make_unique<JwtVerifier>(
        runtime, aiserve::JwtVerifierOptions{.issuer = "https://id.example",
                                             .audience = "classifier",
                                             .jwks_path = path,
                                             .max_cached = 20 * kTokens});
    std::filesystem::remove(path);
  }
  std::vector<std::string> make(const Signer& signer) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    auto claims = aiserve::testing::good_claims(
        std::chrono::duration_cast<std::chrono::seconds>(now).count());
    std::vector<std::string> tokens;
    tokens.reserve(kTokens);
    for (int i = 0; i < kTokens; ++i) {
      claims["jti"] = std::to_string(++made);
      tokens.push_back(signer.sign(claims));
    }
    return tokens;
  }
  void take(const std::string& token) {
    const auto who = verifier->try_verify(token);
    if (!who || !who->ok()) throw std::runtime_error("a good token was refused");
  }
  // Microseconds per token.
  double first(const Signer& signer) {
    const std::vector<std::string> tokens = make(signer);
    const auto begin = Clock::now();
    for (const std::string& token : tokens) take(token);
    return microseconds(Clock::now() - begin) / kTokens;
  }
  double again() {
    const std::vector<std::string> tokens = make(rsa);
    for (const std::string& token : tokens) take(token);
    const auto begin = Clock::now();
    for (std::size_t i = 0; i < kLooks; ++i) take(tokens[i * 7 % kTokens]);
    return microseconds(Clock::now() - begin) / kLooks;
  }
  static double microseconds(Clock::duration time) {
    return std::chrono::duration<double, std::micro>(time).count();
  }

  aiserve::Telemetry telemetry{{.log_level = aiserve::LogLevel::error}};
  aiserve::Runtime runtime{{.telemetry = &telemetry}};
  Signer rsa = Signer::rsa("rsa");
  Signer ec = Signer::ec("ec");
  std::unique_ptr<JwtVerifier> verifier;
  int made = 0;
};

}  // namespace

std::vector<Group> token_groups(const Options& /*options*/) {
  auto tokens = std::make_shared<std::unique_ptr<Tokens>>();
  Group group{.name = "jwt",
              .keys = {{"http.jwt_verify_us.rs256", "us", 40},
                       {"http.jwt_verify_us.es256", "us", 120},
                       {"http.jwt_verify_us.cached", "us", 1}},
              .begin = [tokens] { *tokens = std::make_unique<Tokens>(); },
              .round =
                  [tokens](Sample& sample) {
                    sample.set("http.jwt_verify_us.rs256", (*tokens)->first((*tokens)->rsa));
                    sample.set("http.jwt_verify_us.es256", (*tokens)->first((*tokens)->ec));
                    sample.set("http.jwt_verify_us.cached", (*tokens)->again());
                  },
              .end = [tokens] { tokens->reset(); }};
  return {group};
}

}  // namespace bench
