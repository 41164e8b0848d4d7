// HTTPS end to end: real threads, OpenSSL's client.
#include <atomic>
#include <cstdlib>
#include <iterator>
#include <sstream>
#include <thread>

#include <doctest/doctest.h>

#include "aiserve/core/async.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/http/server.hpp"
#include "unit/http/client.hpp"
#include "unit/http/proxy_bytes.hpp"
#include "unit/http/tls_client.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// Certificates of a server, of an authority for clients, and of a client.
struct Files : CertificateFolder {
  Files() {
    write("main", make_identity({.common_name = "main"}));
    write("other", make_identity({.common_name = "other", .names = "DNS:*.other.example"}));
    write("ca", authority);
  }
  TlsOptions options() const {
    return {.certificate = file("main.crt"),
            .private_key = file("main.key"),
            .more = {{file("other.crt"), file("other.key")}}};
  }

  Identity authority = make_identity({.common_name = "authority", .authority = true});
  Identity stranger = make_identity({.common_name = "stranger"});
  Identity client =
      make_identity({.common_name = "batch-7",
                     .names = "DNS:batch.example, URI:spiffe://example/batch, email:b@example.org",
                     .issuer = &authority});
};

struct Service {
  explicit Service(const TlsOptions& tls, int threads = 1)
      : Service(ServerOptions{.tls = tls}, threads) {}
  explicit Service(ServerOptions options, int threads = 1)
      : runtime({.io_threads = threads, .telemetry = &telemetry}),
        server(runtime, loopback(std::move(options))) {
    server.get("/hello", [](const Context&, const Request&) { return text("hello"); })
        .get("/large",
             [](const Context&, const Request&) { return text(std::string(3'000'000, 'x')); })
        .get("/later",
             [](const Context& ctx, const Request& request) -> Async<Response> {
               (void)co_await sleep(ctx, 2ms);
               co_return text(std::string(request.peer()));
             })
        .get("/held",
             [this](const Context& ctx, const Request&) -> Async<Response> {
               while (!released && !ctx.cancelled()) (void)co_await sleep(ctx, 1ms);
               co_return text("released");
             })
        .get("/who",
             [](const Context&, const Request& request) {
               const ClientCertificate* const client = request.client_certificate();
               if (client == nullptr) return text("nobody");
               return text(client->subject + " " + client->issuer + " " + client->dns_names.at(0) +
                           " " + client->uris.at(0) + " " + client->emails.at(0) + " " +
                           std::to_string(client->fingerprint.size()));
             })
        .post("/size", [](const Context&, const Request& request) {
          return text(std::to_string(request.body().size()));
        });
    runtime.start();
  }
  static ServerOptions loopback(ServerOptions options) {
    options.address = "127.0.0.1";
    options.port = 0;
    return options;
  }
  std::string metrics() { return telemetry.metrics().prometheus(); }

  std::atomic<bool> released{false};
  Telemetry telemetry{{.log_sink = [](LogLevel, std::string_view) {}}};
  Runtime runtime;
  Server server;
};

TEST_CASE("requests are served over TLS 1.2 and 1.3, one after the other and many at once") {
  const Files files;
  Service service(files.options(), 2);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    TlsClient client(service.server.port(), {.version = version});
    REQUIRE(client.connected());
    CHECK(has(client.get("/hello"), "\r\n\r\nhello"));
    CHECK(has(client.get("/later"), "\r\n\r\n127.0.0.1"));
    CHECK(client.get("/large").size() > 3'000'000);
    const std::string body(1'000'000, 'b');
    REQUIRE(client.send("POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"));
    REQUIRE(client.send(body));
    CHECK(has(client.reply(), "\r\n\r\n1000000"));
    std::string pipeline;
    for (int i = 0; i < 100; ++i) pipeline += "GET /later HTTP/1.1\r\nHost: a\r\n\r\n";
    REQUIRE(client.send(pipeline));
    for (int i = 0; i < 100; ++i) REQUIRE(has(client.reply(), "\r\n\r\n127.0.0.1"));
  }
  CHECK(has(service.metrics(), R"(aiserve_http_tls_handshakes_total{server="http"} 2)"));
}

TEST_CASE("old protocols and weak suites are refused, and service goes on") {
  const Files files;
  Service service(files.options());
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    CHECK_FALSE(TlsClient(service.server.port(), {.version = version}).connected());
  }
  for (const std::string suites :
       {"AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-CCM",
        "DHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-NULL-SHA", "AES128-SHA"}) {
    CAPTURE(suites);
    CHECK_FALSE(TlsClient(service.server.port(), {.version = TLS1_2_VERSION, .suites = suites})
                    .connected());
  }
  CHECK(has(service.metrics(), R"(aiserve_http_refused_total{cause="handshake",server="http"} 8)"));
  CHECK(has(TlsClient(service.server.port()).get("/hello"), "hello"));
}

TEST_CASE("a client that wants to renegotiate is refused") {
  const Files files;
  Service service(files.options());
  TlsClient client(service.server.port(), {.version = TLS1_2_VERSION});
  REQUIRE(client.connected());
  CHECK(SSL_renegotiate(client.ssl()) == 1);
  CHECK(SSL_do_handshake(client.ssl()) != 1);
  ERR_clear_error();
  CHECK(has(TlsClient(service.server.port()).get("/hello"), "hello"));
}

TEST_CASE("clients agree on http/1.1, or on nothing, but not on another protocol") {
  const Files files;
  Service service(files.options());
  CHECK(TlsClient(service.server.port(), {.protocols = {"h2", "http/1.1"}}).protocol() ==
        "http/1.1");
  CHECK(TlsClient(service.server.port()).protocol() == "");
  CHECK_FALSE(TlsClient(service.server.port(), {.protocols = {"h2"}}).connected());
}

TEST_CASE("the certificate is chosen by the name that the client asks for") {
  const Files files;
  Service service(files.options());
  const auto shown = [&](const std::string& name) {
    return TlsClient(service.server.port(), {.server_name = name}).server();
  };
  CHECK(shown("www.other.example") == "other");
  CHECK(shown("WWW.Other.Example") == "other");
  CHECK(shown("other.example") == "main");
  CHECK(shown("a.b.other.example") == "main");
  CHECK(shown("elsewhere.example") == "main");
  CHECK(shown("") == "main");
}

TEST_CASE("a session is resumed by its ticket until the certificates are loaded anew") {
  const Files files;
  Service service(files.options());
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient first(service.server.port(), {.version = version});
    CHECK(has(first.get("/hello"), "hello"));  // the ticket comes with it
    SSL_SESSION* const session = SSL_get1_session(first.ssl());
    TlsClient second(service.server.port(), {.version = version, .session = session});
    CHECK(second.resumed());
    CHECK(has(second.get("/hello"), "hello"));
    CHECK(service.server.reload_tls().ok());
    TlsClient third(service.server.port(), {.version = version, .session = session});
    CHECK_FALSE(third.resumed());
    CHECK(has(third.get("/hello"), "hello"));
    SSL_SESSION_free(session);
  }
}

TEST_CASE("a reload serves new connections and leaves those that are open alone") {
  const Files files;
  Service service(files.options());
  TlsClient open(service.server.port());
  CHECK(open.server() == "main");
  files.write("main", make_identity({.common_name = "renewed"}));
  CHECK(service.server.reload_tls().ok());
  CHECK(TlsClient(service.server.port()).server() == "renewed");
  CHECK(has(open.get("/hello"), "hello"));

  files.write_text("main.key", "no key");
  const Result<void> refused = service.server.reload_tls();
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code() == Errc::invalid_argument);
  CHECK(has(refused.error().detail(), "tls.private_key"));
  TlsClient after(service.server.port());
  CHECK(after.server() == "renewed");
  CHECK(has(after.get("/hello"), "hello"));
}

TEST_CASE("a server without TLS has nothing to reload") {
  Service service(TlsOptions{});
  CHECK(service.server.reload_tls().error().code() == Errc::invalid_argument);
}

TEST_CASE("clients prove who they are, and requests can tell") {
  const Files files;
  TlsOptions options = files.options();
  options.client_ca = files.file("ca.crt");
  Service service(options);
  const std::uint16_t port = service.server.port();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    TlsClient known(port, {.identity = &files.client, .version = version});
    CHECK(has(known.get("/who"),
              "\r\n\r\nCN=batch-7 CN=authority batch.example spiffe://example/batch "
              "b@example.org 64"));
    // In TLS 1.3 the client learns of it with its first read.
    CHECK(TlsClient(port, {.version = version}).get("/who") == "");
    CHECK(TlsClient(port, {.identity = &files.stranger, .version = version}).get("/who") == "");
  }
  const Identity expired =
      make_identity({.common_name = "late", .issuer = &files.authority, .expires_in_s = -60});
  CHECK(TlsClient(port, {.identity = &expired}).get("/who") == "");
  SSL_SESSION* const session = [&] {
    TlsClient known(port, {.identity = &files.client});
    CHECK(has(known.get("/who"), "batch-7"));
    return SSL_get1_session(known.ssl());
  }();
  TlsClient again(port, {.identity = &files.client, .session = session});
  CHECK_FALSE(again.resumed());
  CHECK(has(again.get("/who"), "batch-7"));
  SSL_SESSION_free(session);
}

TEST_CASE("a client may stay unknown if no certificate is required, but not lie") {
  const Files files;
  TlsOptions options = files.options();
  options.client_ca = files.file("ca.crt");
  options.require_client_certificate = false;
  Service service(options);
  const std::uint16_t port = service.server.port();
  CHECK(has(TlsClient(port).get("/who"), "\r\n\r\nnobody"));
  CHECK(has(TlsClient(port, {.identity = &files.client}).get("/who"), "CN=batch-7"));
  CHECK(TlsClient(port, {.identity = &files.stranger}).get("/who") == "");
}

TEST_CASE("plain HTTP to a TLS port is told so") {
  const Files files;
  Service service(files.options());
  RawClient client(service.server.port());
  const Reply reply = client.get("/hello");
  CHECK(reply.status == 400);
  CHECK(reply.body == "This port speaks HTTPS, not HTTP\n");
  CHECK(client.wait_for_end());
  CHECK(
      has(service.metrics(), R"(aiserve_http_refused_total{cause="plain_http",server="http"} 1)"));
}

TEST_CASE("a PROXY header goes before the handshake") {
  const Files files;
  ServerOptions options;
  options.tls = files.options();
  options.trusted_proxies = {"127.0.0.1"};
  options.proxy_protocol = true;
  Service service(options);
  TlsClient client(service.server.port(), {.before = proxy_header({192, 0, 2, 7}, {})});
  REQUIRE(client.connected());
  CHECK(has(client.get("/later"), "\r\n\r\n192.0.2.7"));
  CHECK_FALSE(TlsClient(service.server.port()).connected());
}

TEST_CASE("a connection ends with close_notify, so that a cut is noticed") {
  const Files files;
  Service service(files.options());
  TlsClient client(service.server.port());
  REQUIRE(client.send("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  CHECK(has(client.reply(), "hello"));
  CHECK(client.wait_for_close_notify());
  TlsClient malformed(service.server.port());
  REQUIRE(malformed.send("nonsense\r\n\r\n"));
  CHECK(has(malformed.reply(), "HTTP/1.1 400"));
  CHECK(malformed.wait_for_close_notify());
}

TEST_CASE("clients that go in the middle of a response leave nothing behind") {
  const Files files;
  Service service(files.options());
  for (int i = 0; i < 20; ++i) {
    TlsClient client(service.server.port());
    std::string requests;
    for (int n = 0; n < 16; ++n) requests += "GET /large HTTP/1.1\r\nHost: a\r\n\r\n";
    REQUIRE(client.send(requests));
    CHECK(client.receive());
    if (i % 2 == 0) client.kill();
  }
  while (service.server.connections() != 0) std::this_thread::yield();
  CHECK(has(TlsClient(service.server.port()).get("/hello"), "hello"));
}

TEST_CASE("a drain answers what is in flight over TLS") {
  const Files files;
  Service service(files.options());
  TlsClient client(service.server.port());
  REQUIRE(client.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n"));
  TlsClient idle(service.server.port());
  REQUIRE(idle.connected());
  CHECK(has(idle.get("/hello"), "hello"));
  while (service.server.in_flight() != 1) std::this_thread::yield();
  std::thread shutdown([&] { service.runtime.shutdown(); });
  CHECK(idle.wait_for_close_notify());
  service.released = true;
  CHECK(has(client.reply(), "Connection: close"));
  CHECK(client.wait_for_close_notify());
  shutdown.join();
  CHECK(service.server.connections() == 0);
}

TEST_CASE("sslscan finds TLS 1.2 and 1.3 only, and nothing weak") {
  if (std::system("command -v sslscan >/dev/null 2>&1") != 0) {
    MESSAGE("SKIPPED: sslscan is not installed");
    return;
  }
  const Files files;
  Service service(files.options());
  const std::string target = "127.0.0.1:" + std::to_string(service.server.port());
  const std::string report = files.file("report");
  REQUIRE(std::system(("sslscan --no-colour " + target + " > " + report).c_str()) == 0);
  std::ifstream file(report);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  for (const std::string old : {"SSLv2     disabled", "SSLv3     disabled", "TLSv1.0   disabled",
                                "TLSv1.1   disabled", "TLSv1.2   enabled", "TLSv1.3   enabled"}) {
    CAPTURE(old);
    CHECK(has(text, old));
  }
  CHECK(has(text, "Session renegotiation not supported"));
  CHECK_FALSE(has(text, "1.2 vulnerable"));
  std::istringstream lines(text);
  int suites = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("Accepted", 0) != 0 && line.rfind("Preferred", 0) != 0) continue;
    CAPTURE(line);
    const bool forward_secret = has(line, " TLS_") || has(line, " ECDHE-");
    const bool authenticated = has(line, "GCM") || has(line, "CHACHA20");
    CHECK((forward_secret && authenticated));
    ++suites;
  }
  CHECK(suites == 6);
}

}  // namespace
}  // namespace aiserve::http
