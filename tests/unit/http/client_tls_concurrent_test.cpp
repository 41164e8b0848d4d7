// http::Client over TLS: whom it trusts, and what it refuses.
#include <doctest/doctest.h>

#include "aiserve/http/server.hpp"
#include "aiserve/testing/tcp_gate.hpp"
#include "unit/http/certificates.hpp"
#include "unit/http/client_host.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;

HostResolver everything_here() {
  return [](const std::string&) {
    return Result<std::vector<std::string>>(std::vector<std::string>{"127.0.0.1"});
  };
}

// Certificates of an authority, of servers good and bad, and of a client.
struct Files : CertificateFolder {
  Files() {
    write("ca", authority);
    write("good", make_identity({.common_name = "good",
                                 .names = "DNS:good.example, DNS:*.wild.example, IP:127.0.0.1",
                                 .issuer = &authority}));
    write("expired", make_identity({.common_name = "good.example",
                                    .names = "DNS:good.example",
                                    .issuer = &authority,
                                    .expires_in_s = -60}));
    write("self", make_identity({.common_name = "good.example", .names = "DNS:good.example"}));
    write("named", make_identity({.common_name = "good.example", .issuer = &authority}));
    write("me", make_identity({.common_name = "me", .issuer = &authority}));
  }
  ServerOptions server(const std::string& name) const {
    return {.address = "127.0.0.1",
            .port = 0,
            .tls = {.certificate = file(name + ".crt"), .private_key = file(name + ".key")}};
  }
  ClientOptions client() const {
    return {.tls = {.ca = file("ca.crt")},
            .resolve = everything_here(),
            .retry = {.attempts = 1},
            .breaker = {.failures = 0}};
  }

  Identity authority = make_identity({.common_name = "authority", .authority = true});
};

constexpr std::size_t kLarge = 30'000'000;  // more than the kernel holds

struct Secure : ClientHost {
  Secure(ServerOptions service, ClientOptions options)
      : ClientHost(std::move(options)), server(runtime, std::move(service)) {
    server.get("/hello", [](const Context&, const Request& request) {
      const ClientCertificate* const who = request.client_certificate();
      return text("hello " + (who == nullptr ? "nobody" : who->subject));
    });
    server.get("/big",
               [](const Context&, const Request&) { return text(std::string(1'000'000, 'b')); });
    server.post(
        "/both-ways",
        [](const Context&, const Request&, BodyReader& body, BodyWriter& stream) -> Async<void> {
          for (;;) {
            const Result<Bytes> part = co_await body.read();
            if (!part.ok()) co_return part.error();
            if (part->empty()) co_return success();
            const Result<void> written = co_await stream.write(*part);
            if (!written.ok()) co_return written.error();
          }
        },
        {.max_body = kLarge});
    server.post("/echo",
                [](const Context&, const Request& request) { return bytes(request.body_bytes()); });
    start();
  }
  std::string url(std::string_view host, std::string_view target = "/hello") const {
    return "https://" + std::string(host) + ":" + std::to_string(server.port()) +
           std::string(target);
  }
  Server server;
};

TEST_CASE("a server whose certificate is right is trusted, by name, wildcard and address") {
  const Files files;
  Secure host(files.server("good"), files.client());
  for (const std::string_view name : {"good.example", "a.wild.example", "127.0.0.1"}) {
    const auto answer = host.get(host.url(name));
    REQUIRE_MESSAGE(answer.ok(), name);
    CHECK(answer->text() == "hello nobody");
  }
}

TEST_CASE("TLS connections are kept, large bodies go both ways") {
  const Files files;
  Secure host(files.server("good"), files.client());
  for (int i = 0; i < 3; ++i) {
    CHECK(host.get(host.url("good.example", "/big"))->text().size() == 1'000'000);
  }
  ClientRequest request(Method::post, host.url("good.example", "/echo"));
  const std::string body(2'000'000, 'x');
  request.body(body, "text/plain");
  CHECK(host.send(request)->text() == body);
  CHECK(host.metric(R"(aiserve_http_client_connections_total{client="client",result="opened"})") ==
        "1");
}

TEST_CASE("an answer is read over TLS while the request is still sent") {
  const Files files;
  ClientOptions options = files.client();
  options.max_body = kLarge;
  Secure host(files.server("good"), options);
  ClientRequest request(Method::post, host.url("good.example", "/both-ways"));
  const std::string body(kLarge, 'x');
  request.body(body, "text/plain");
  const auto answer = host.send(request);
  REQUIRE(answer.ok());
  CHECK(answer->body().size() == kLarge);
  CHECK(answer->text() == body);
}

TEST_CASE("a 413 is heard over TLS before all was sent") {
  const Files files;
  Secure host(files.server("good"), files.client());
  ClientRequest request(Method::post, host.url("good.example", "/echo"));
  request.body(std::string(50'000'000, 'x'), "text/plain");
  const auto answer = host.send(request);
  REQUIRE(answer.ok());
  CHECK(answer->status() == 413);
}

TEST_CASE("a wrong name is refused, also one that only the subject names") {
  const Files files;
  Secure host(files.server("good"), files.client());
  for (const std::string_view name :
       {"evil.example", "a.good.example", "wild.example", "a.b.wild.example", "127.0.0.2"}) {
    const auto answer = host.get(host.url(name));
    CHECK_MESSAGE(code_of(answer) == Errc::unavailable, name);
    if (name == "evil.example") {
      CHECK(answer.error().message() == "the service's certificate is not trusted");
    }
  }
  Secure named(files.server("named"), files.client());
  CHECK(code_of(named.get(named.url("good.example"))) == Errc::unavailable);
}

TEST_CASE("expired and self-signed certificates, and unknown authorities, are refused") {
  const Files files;
  for (const char* name : {"expired", "self"}) {
    Secure host(files.server(name), files.client());
    CHECK_MESSAGE(code_of(host.get(host.url("good.example"))) == Errc::unavailable, name);
  }
  ClientOptions options = files.client();
  options.tls.ca.clear();  // the system's, which doesn't know ours
  Secure host(files.server("good"), options);
  CHECK(code_of(host.get(host.url("good.example"))) == Errc::unavailable);
}

TEST_CASE("a client shows its certificate to a server that asks for one") {
  const Files files;
  ServerOptions strict = files.server("good");
  strict.tls.client_ca = files.file("ca.crt");
  ClientOptions options = files.client();
  {
    Secure host(strict, options);
    CHECK(code_of(host.get(host.url("good.example"))) == Errc::unavailable);
  }
  options.tls.certificate = files.file("me.crt");
  options.tls.private_key = files.file("me.key");
  Secure host(strict, options);
  const auto answer = host.get(host.url("good.example"));
  REQUIRE(answer.ok());
  CHECK(answer->text() == "hello CN=me");
}

TEST_CASE("plain HTTP behind https, and TLS behind http, are errors") {
  const Files files;
  Secure plain({.address = "127.0.0.1", .port = 0}, files.client());
  CHECK(code_of(plain.get(plain.url("good.example"))) == Errc::unavailable);
  Secure secure(files.server("good"), files.client());
  const std::string url = "http://good.example:" + std::to_string(secure.server.port()) + "/hello";
  const auto answer = secure.get(url);
  REQUIRE(answer.ok());  // the server says so in plain text
  CHECK(answer->status() == 400);
}

TEST_CASE("a redirect from https to http is refused") {
  const Files files;
  ServerOptions options = files.server("good");
  ClientHost again(files.client());
  Server redirecting(again.runtime, options);
  redirecting.get("/down", [](const Context&, const Request&) {
    return Response(302).header("Location", "http://good.example/");
  });
  again.start();
  const std::string url = "https://good.example:" + std::to_string(redirecting.port()) + "/down";
  CHECK(code_of(again.get(url)) == Errc::permission_denied);
}

TEST_CASE("a handshake that never ends is given up in time") {
  const Files files;
  ClientOptions options = files.client();
  options.handshake_timeout = 40ms;
  Secure host(files.server("good"), options);
  testing::TcpGate gate(host.server.port());
  const std::string url = "https://good.example:" + std::to_string(gate.port()) + "/big";
  gate.to_client(testing::GateMode::drop());
  CHECK(code_of(host.get(url)) == Errc::unavailable);
}

std::string handshakes(ClientHost& host, const std::string& result) {
  return host.metric(R"(aiserve_http_client_tls_handshakes_total{client="client",result=")" +
                     result + "\"}");
}

// On a connection that nobody uses again: its answer is not read to the end.
Errc ask_once(ClientHost& host, const std::string& url) {
  const auto ask = [&](const Context& ctx) -> Async<void> {
    const ClientRequest request(Method::get, url);
    const Result<ClientStream> stream = co_await host.client.open(ctx, request);
    if (!stream.ok()) co_return stream.error();
    co_return success();
  };
  const Result<void> asked = block_on(host.runtime, ask(Context::background()));
  return asked.ok() ? Errc::already_exists : asked.error().code();
}

TEST_CASE("later connections resume the session of earlier ones, unless they must not") {
  const Files files;
  for (const bool resume : {true, false}) {
    ClientOptions options = files.client();
    options.tls.resume = resume;
    Secure host(files.server("good"), options);
    for (int i = 0; i < 4; ++i) {
      CHECK(ask_once(host, host.url("good.example", "/big")) == Errc::already_exists);
    }
    CHECK(handshakes(host, "full") == (resume ? "1" : "4"));
    CHECK(handshakes(host, "resumed") == (resume ? "3" : "0"));
  }
}

TEST_CASE("a session of one name is of no use to another") {
  const Files files;
  Secure host(files.server("good"), files.client());
  CHECK(ask_once(host, host.url("good.example", "/big")) == Errc::already_exists);
  CHECK(ask_once(host, host.url("evil.example", "/big")) == Errc::unavailable);
  CHECK(ask_once(host, host.url("a.wild.example", "/big")) == Errc::already_exists);
  CHECK(handshakes(host, "resumed") == "0");
}

TEST_CASE("a server that has forgotten its sessions is met with a full handshake") {
  const Files files;
  ClientHost host(files.client());
  host.start();
  ServerOptions options = files.server("good");
  for (int i = 0; i < 2; ++i) {
    Runtime elsewhere({.telemetry = &host.telemetry});
    Server server(elsewhere, options);
    server.get("/", [](const Context&, const Request&) { return text("x"); });
    options.port = server.port();
    elsewhere.start();
    const std::string url = "https://good.example:" + std::to_string(options.port) + "/";
    const auto answer = host.get(url);
    REQUIRE(answer.ok());
    CHECK(answer->text() == "x");
  }
  CHECK(handshakes(host, "full") == "2");
  CHECK(handshakes(host, "resumed") == "0");
}

TEST_CASE("corrupted records end the call with an error, never with a wrong body") {
  const Files files;
  Secure host(files.server("good"), files.client());
  testing::TcpGate gate(host.server.port());
  const std::string url = "https://good.example:" + std::to_string(gate.port()) + "/big";
  REQUIRE(host.get(url).ok());
  gate.to_client(testing::GateMode::corrupt(7, 5'000));
  const auto answer = host.get(url);
  CHECK(code_of(answer) == Errc::unavailable);
  gate.to_client(testing::GateMode::pass());
  CHECK(host.get(url)->text() == std::string(1'000'000, 'b'));
}

}  // namespace
}  // namespace aiserve::http
