// What a server says to certificates that cannot work.
#include "http/tls_context.hpp"

#include <doctest/doctest.h>

#include "aiserve/core/error.hpp"
#include "http/tls_store.hpp"
#include "unit/http/certificates.hpp"
#include "unit/http/client.hpp"
#include "unit/http/simulation.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;

std::string refusal(const TlsOptions& options) {
  try {
    const detail::TlsContext context(options);
    return "";
  } catch (const ConfigError& error) {
    return error.what();
  }
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

struct Files : CertificateFolder {
  Files() {
    write("a", make_identity({.common_name = "a"}));
    write("b", make_identity({.common_name = "b"}));
    write_text("noise.crt", "this is no certificate");
  }
  TlsOptions options() const {
    return {.certificate = file("a.crt"), .private_key = file("a.key")};
  }
};

TEST_CASE("certificates that cannot work are refused by the name of their option") {
  const Files files;
  CHECK(refusal(files.options()) == "");

  TlsOptions missing = files.options();
  missing.certificate = files.file("none.crt");
  CHECK(has(refusal(missing), "tls.certificate \"" + missing.certificate + "\": No such file"));

  TlsOptions no_key = files.options();
  no_key.private_key.clear();
  CHECK(refusal(no_key) == "http: tls.private_key is missing");

  TlsOptions other_key = files.options();
  other_key.private_key = files.file("b.key");
  CHECK(has(refusal(other_key), "tls.private_key"));
  CHECK(has(refusal(other_key), "does not belong to tls.certificate"));

  TlsOptions noise = files.options();
  noise.certificate = files.file("noise.crt");
  CHECK(has(refusal(noise), "tls.certificate \""));

  TlsOptions more = files.options();
  more.more = {{files.file("b.crt"), files.file("a.key")}};
  CHECK(has(refusal(more), "tls.more[0].private_key"));

  TlsOptions authority = files.options();
  authority.client_ca = files.file("noise.crt");
  CHECK(has(refusal(authority), "tls.client_ca"));
}

TEST_CASE("a private key with a pass phrase is refused, not waited for") {
  const Files files;
  const Identity made = make_identity({.common_name = "c"});
  files.write("c", made);
  std::FILE* const out = std::fopen(files.file("locked.key").c_str(), "w");
  char phrase[] = "secret";
  PEM_write_PrivateKey(out, made.key.get(), EVP_aes_128_cbc(),
                       reinterpret_cast<unsigned char*>(phrase), 6, nullptr, nullptr);
  std::fclose(out);
  const TlsOptions locked{.certificate = files.file("c.crt"),
                          .private_key = files.file("locked.key")};
  CHECK(has(refusal(locked), "tls.private_key"));
  CHECK(has(refusal(locked), "without a pass phrase"));
}

TEST_CASE("a server refuses TLS options that make no sense") {
  const Files files;
  testing::SimRuntime sim;
  const auto refused = [&](const TlsOptions& tls) -> std::string {
    try {
      const Server server(sim.runtime(), {.address = "127.0.0.1", .port = 0, .tls = tls});
      return "";
    } catch (const ConfigError& error) {
      return error.what();
    }
  };
  CHECK(refused({.private_key = "x"}) == "http: tls.certificate is missing");
  CHECK(refused({.client_ca = "x"}) == "http: tls.certificate is missing");
  TlsOptions hasty = files.options();
  hasty.handshake_timeout = 0ms;
  CHECK(has(refused(hasty), "tls.handshake_timeout is 0 ms"));
  TlsOptions backwards = files.options();
  backwards.reload_interval = -1ms;
  CHECK(has(refused(backwards), "tls.reload_interval"));
}

TEST_CASE("a handshake that takes too long is ended, whatever it says meanwhile") {
  const Files files;
  TlsOptions tls = files.options();
  tls.handshake_timeout = 5s;
  Simulation s({.tls = tls});
  s.sim.start();
  RawClient silent(s.server.port());
  RawClient slow(s.server.port());
  REQUIRE(s.run_until([&] { return s.server.connections() == 2; }));
  for (const char byte : std::string_view("\x16\x03\x01\x02")) {
    slow.send(std::string_view(&byte, 1));
    s.sim.advance(1s);
  }
  CHECK(s.server.connections() == 2);
  s.sim.advance(1s);
  s.settle();
  CHECK(silent.wait_for_end());
  CHECK(slow.wait_for_end());
  CHECK(s.metric(R"(aiserve_http_refused_total{cause="handshake",server="http"})") == "2");
}

TEST_CASE("certificates are loaded anew when their files change, and every 12 hours") {
  const Files files;
  Telemetry telemetry({.log_sink = [](LogLevel, std::string_view) {}});
  const TimePoint start{};
  detail::TlsStore store(files.options(), telemetry, "http", start);
  const auto first = store.current();
  store.tick(start + 1h);
  CHECK(store.current() == first);

  files.write("a", make_identity({.common_name = "a2", .expires_in_s = 7200}));
  store.tick(start + 1h + 9s);
  CHECK(store.current() == first);
  store.tick(start + 1h + 10s);
  const auto second = store.current();
  CHECK(second != first);
  CHECK(second->expires() > first->expires());

  // The key of another certificate, as in the middle of a deployment.
  files.write_text("a.key", "half of a key");
  store.tick(start + 2h);
  CHECK(store.current() == second);
  CHECK(store.reload(start + 2h).error().code() == Errc::invalid_argument);

  files.write("a", make_identity({.common_name = "a3"}));
  store.tick(start + 3h);
  const auto third = store.current();
  CHECK(third != second);
  store.tick(start + 14h);
  CHECK(store.current() == third);
  store.tick(start + 16h);
  CHECK(store.current() != third);
  const std::string text = telemetry.metrics().prometheus();
  CHECK(has(text, R"(aiserve_http_tls_reloads_total{result="failed",server="http"} 2)"));
  CHECK(has(text, R"(aiserve_http_tls_reloads_total{result="ok",server="http"} 3)"));
  CHECK(has(text, "aiserve_http_tls_expires_timestamp_seconds"));
}

}  // namespace
}  // namespace aiserve::http
