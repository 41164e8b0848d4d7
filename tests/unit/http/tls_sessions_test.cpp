#include "http/client/tls_sessions.hpp"

#include <array>
#include <memory>

#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include "aiserve/testing/manual_clock.hpp"
#include "http/tls_filter.hpp"
#include "unit/http/certificates.hpp"

namespace aiserve::http::detail {
namespace {

using namespace std::chrono_literals;

SslSession session(unsigned char id, int version = TLS1_3_VERSION) {
  SslSession made(SSL_SESSION_new());
  const std::array<unsigned char, 1> bytes{id};
  REQUIRE(SSL_SESSION_set1_id(made.get(), bytes.data(), bytes.size()) == 1);
  REQUIRE(SSL_SESSION_set_protocol_version(made.get(), version) == 1);
  return made;
}

int id_of(const TlsSessions::Kept& kept) {
  unsigned size = 0;
  return kept.session == nullptr ? -1 : SSL_SESSION_get_id(kept.session.get(), &size)[0];
}

TimePoint hour_from(const testing::ManualClock& clock) {
  return clock.now() + TlsSessions::kLongest;
}

struct ContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslContext = std::unique_ptr<SSL_CTX, ContextFree>;
using Ssl = std::unique_ptr<SSL, SslFree>;

// A client and a server that speak in memory; their connections end without a goodbye.
struct Pair {
  explicit Pair(int version)
      : identity(make_identity({.common_name = "here"})),
        client(SSL_CTX_new(TLS_client_method())),
        server(SSL_CTX_new(TLS_server_method())) {
    SSL_CTX_set_max_proto_version(client.get(), version);
    SSL_CTX_use_certificate(server.get(), identity.certificate.get());
    SSL_CTX_use_PrivateKey(server.get(), identity.key.get());
    TlsSessions::enable(*client);
  }
  // True if an earlier session was resumed. Tickets come `later` than the handshake began.
  bool connect(testing::ManualClock& clock, TlsSessions& sessions, Duration later = {}) {
    const Ssl here(SSL_new(client.get()));
    const Ssl there(SSL_new(server.get()));
    BIO* left = nullptr;
    BIO* right = nullptr;
    REQUIRE(BIO_new_bio_pair(&left, 0, &right, 0) == 1);
    SSL_set_bio(here.get(), left, left);
    SSL_set_bio(there.get(), right, right);
    sessions.follow(*here);
    clock.advance(later);
    for (int i = 0; i < 4; ++i) {
      SSL_connect(here.get());
      SSL_accept(there.get());
    }
    REQUIRE(SSL_is_init_finished(here.get()) == 1);
    char nothing = 0;
    SSL_read(here.get(), &nothing, 1);  // takes in tickets
    return SSL_session_reused(here.get()) == 1;
  }
  Identity identity;
  SslContext client;
  SslContext server;
};

TEST_CASE("each connection resumes what the one before has given") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    testing::ManualClock clock;
    TlsSessions sessions(clock);
    Pair pair(version);
    CHECK_FALSE(pair.connect(clock, sessions));
    for (int i = 0; i < 4; ++i) CHECK(pair.connect(clock, sessions));
  }
}

TEST_CASE("tickets of resumed connections do not outlast the hour of the full handshake") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    testing::ManualClock clock;
    TlsSessions sessions(clock);
    Pair pair(version);
    CHECK_FALSE(pair.connect(clock, sessions));
    clock.advance(50min);
    CHECK(pair.connect(clock, sessions));
    clock.advance(50min);
    CHECK_FALSE(pair.connect(clock, sessions));
    clock.advance(50min);
    CHECK(pair.connect(clock, sessions));
  }
}

TEST_CASE("a ticket that comes late is as old as its connection") {
  testing::ManualClock clock;
  TlsSessions sessions(clock);
  Pair pair(TLS1_3_VERSION);
  CHECK_FALSE(pair.connect(clock, sessions, 2h));
  CHECK_FALSE(pair.connect(clock, sessions));
}

TEST_CASE("a ticket of TLS 1.3 is used once, the newest first") {
  testing::ManualClock clock;
  TlsSessions sessions(clock);
  CHECK(sessions.take().session == nullptr);
  sessions.keep(session(1), hour_from(clock));
  sessions.keep(session(2), hour_from(clock));
  CHECK(id_of(sessions.take()) == 2);
  CHECK(id_of(sessions.take()) == 1);
  CHECK(sessions.take().session == nullptr);
}

TEST_CASE("a session of TLS 1.2 is used until a newer one comes") {
  testing::ManualClock clock;
  TlsSessions sessions(clock);
  sessions.keep(session(1, TLS1_2_VERSION), hour_from(clock));
  CHECK(id_of(sessions.take()) == 1);
  CHECK(id_of(sessions.take()) == 1);
  sessions.keep(session(2, TLS1_2_VERSION), hour_from(clock));
  CHECK(id_of(sessions.take()) == 2);
  CHECK(id_of(sessions.take()) == 2);
}

TEST_CASE("sessions are kept for an hour, and a few of them") {
  testing::ManualClock clock;
  TlsSessions sessions(clock);
  sessions.keep(session(1, TLS1_2_VERSION), hour_from(clock));
  clock.advance(59min);
  CHECK(id_of(sessions.take()) == 1);
  clock.advance(1min);
  CHECK(sessions.take().session == nullptr);
  CHECK(sessions.size() == 0);
  for (int i = 0; i < 100; ++i)
    sessions.keep(session(static_cast<unsigned char>(i)), hour_from(clock));
  CHECK(sessions.size() == TlsSessions::kMost);
  CHECK(id_of(sessions.take()) == 99);
}

TEST_CASE("what cannot be resumed is not kept") {
  testing::ManualClock clock;
  TlsSessions sessions(clock);
  sessions.keep(nullptr, hour_from(clock));
  sessions.keep(SslSession(SSL_SESSION_new()), hour_from(clock));  // neither an id nor a ticket
  CHECK(sessions.size() == 0);
}

}  // namespace
}  // namespace aiserve::http::detail
