// JwtBench: a JwtVerifier on simulated time, with the keys of a file.
#pragma once

#include <string>
#include <utility>

#include "aiserve/security/jwt_verifier.hpp"
#include "aiserve/testing/sim_runtime.hpp"
#include "unit/core/test_paths.hpp"
#include "unit/security/signer.hpp"

namespace aiserve::testing {

struct JwtBench {
  explicit JwtBench(std::string keys = jwks(rsa_signer(), ec_signer()),
                    JwtVerifierOptions options = {})
      : file(keys), verifier(sim.runtime(), completed(std::move(options), file)) {
    sim.start();
  }
  static JwtVerifierOptions completed(JwtVerifierOptions options, const TemporaryFile& file) {
    options.issuer = "https://id.example";
    options.audience = "classifier";
    options.jwks_path = file.path();
    return options;
  }

  std::int64_t now() {
    const auto since = sim.clock().wall_now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::seconds>(since).count();
  }
  json claims() { return good_claims(now()); }
  json claims(const char* name, json value) {
    json all = claims();
    all[name] = std::move(value);
    return all;
  }
  json without(const char* name) {
    json all = claims();
    all.erase(name);
    return all;
  }
  /// What the caller gets, after waiting if it has to.
  Result<Principal> ask(const std::string& token) {
    if (auto known = verifier.try_verify(token)) return *known;
    return block_on(sim.runtime(), verifier.verify(Context::background(), token));
  }
  bool takes(const std::string& token) {
    const Result<Principal> who = ask(token);
    if (!who.ok()) reason = who.error().message();
    return who.ok();
  }

  SimRuntime sim;
  TemporaryFile file;
  JwtVerifier verifier;
  std::string reason;
};

}  // namespace aiserve::testing
