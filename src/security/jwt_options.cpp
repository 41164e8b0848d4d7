#include "security/jwt_options.hpp"

#include <fstream>
#include <utility>

namespace aiserve::inline v0::detail {
namespace {

using std::chrono::seconds;

[[noreturn]] void refuse(const std::string& what) { throw ConfigError("jwt: " + what); }

template <class T>
void require(T value, T least, T most, const char* what) {
  if (value < least || value > most) refuse(what);
}

AllowedAlgorithms allowed_algorithms(const JwtVerifierOptions& options) {
  AllowedAlgorithms allowed;
  for (std::size_t i = 0; options.algorithms.empty() && i < kJwsAlgorithms; ++i) {
    const auto algorithm = static_cast<JwsAlgorithm>(i);
    if ((family_of(algorithm) == KeyFamily::oct) == options.hmac) allowed.allow(algorithm);
  }
  for (const std::string& name : options.algorithms) {
    const auto algorithm = parse_jws_algorithm(name);
    if (!algorithm) refuse("algorithms names \"" + name + "\", which is not known");
    if ((family_of(*algorithm) == KeyFamily::oct) != options.hmac) {
      refuse("algorithms names " + name + ", which hmac = " + (options.hmac ? "true" : "false") +
             " does not allow");
    }
    allowed.allow(*algorithm);
  }
  return allowed;
}

void check_numbers(const JwtVerifierOptions& options) {
  require(options.leeway, seconds(0), seconds(600), "leeway must be 0 to 10 min");
  require<std::size_t>(options.max_token, 256, 64 * 1024, "max_token must be 256 to 65536");
  require<std::size_t>(options.max_cached, 0, 10'000'000, "max_cached must be at most 10000000");
  require(options.refresh_after, seconds(1), seconds(86'400), "refresh_after must be 1 s to 24 h");
  require(options.max_stale, options.refresh_after, seconds(std::chrono::hours(24 * 365 * 10)),
          "max_stale must be refresh_after to 10 years");
  require(options.cool_down, seconds(1), seconds(3600), "cool_down must be 1 s to 1 h");
  require(options.fetch_timeout, std::chrono::milliseconds(100), std::chrono::milliseconds(60'000),
          "fetch_timeout must be 100 ms to 60 s");
  require<std::size_t>(options.max_jwks, 64, 1u << 30, "max_jwks must be 64 bytes to 1 GiB");
}

// One byte more than allowed tells that it is too large.
Result<std::string> read_file(const std::string& path, std::size_t max_size) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error(Errc::unavailable, "the key file cannot be read").with_detail(path);
  std::string text(max_size + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return Error(Errc::unavailable, "the key file cannot be read").with_detail(path);
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

FetchKeys from_file(Runtime& runtime, const std::string& path, std::size_t max_size) {
  return [&runtime, path, max_size](const Context& ctx) -> Async<std::string> {
    return runtime.blocking(ctx, [path, max_size] { return read_file(path, max_size); });
  };
}

decide::Nanos nanos(Duration time) noexcept { return time.count(); }

}  // namespace

JwtRules checked_rules(const JwtVerifierOptions& options) {
  if (options.issuer.empty()) refuse("issuer is empty");
  if (options.audience.empty()) refuse("audience is empty");
  if (options.tenant_claim.empty()) refuse("tenant_claim is empty");
  if (options.jwks_path.empty() == (options.fetch_keys == nullptr)) {
    refuse("give exactly one of jwks_path and fetch_keys");
  }
  check_numbers(options);
  return {.algorithms = allowed_algorithms(options),
          .claims = {.issuer = options.issuer,
                     .audience = options.audience,
                     .tenant_claim = options.tenant_claim,
                     .kept = options.claims,
                     .leeway = options.leeway,
                     .access_tokens_only = options.access_tokens_only},
          .max_token = options.max_token};
}

KeyRingOptions key_ring_options(Runtime& runtime, const JwtVerifierOptions& options) {
  const bool file = !options.jwks_path.empty();
  constexpr seconds kFileLook{5};
  constexpr seconds kForever{std::chrono::hours(24 * 365 * 100)};
  return {
      .issuer = options.issuer,
      .fetch = file ? from_file(runtime, options.jwks_path, options.max_jwks) : options.fetch_keys,
      .rules = {.secrets = options.hmac},
      .refresh = {.refresh_after = nanos(file ? std::min(options.refresh_after, kFileLook)
                                              : options.refresh_after),
                  .max_stale = nanos(file ? kForever : options.max_stale),
                  .cool_down = nanos(file ? seconds(1) : options.cool_down)},
      .fetch_timeout = options.fetch_timeout,
      .max_size = options.max_jwks};
}

void load_first(KeyRing& ring, const JwtVerifierOptions& options) {
  const Result<std::string> text = read_file(options.jwks_path, options.max_jwks);
  const Result<void> loaded = text.ok() ? ring.load(*text) : Result<void>(text.error());
  if (!loaded) refuse("jwks_path " + options.jwks_path + ": " + loaded.error().message());
}

}  // namespace aiserve::inline v0::detail
