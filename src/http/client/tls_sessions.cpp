#include "http/client/tls_sessions.hpp"

#include <memory>
#include <new>
#include <utility>

#include <openssl/ssl.h>

namespace aiserve::inline v0::http::detail {

namespace {

// How long what a connection gives may be used.
struct Trust {
  TlsSessions* sessions;
  TimePoint fresh;    // after a full handshake
  TimePoint resumed;  // else: no longer than what it was resumed from
};

void free_trust(void*, void* trust, CRYPTO_EX_DATA*, int, long, void*) noexcept {
  delete static_cast<Trust*>(trust);
}

int trust_index() noexcept {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, &free_trust);
  return index;
}

}  // namespace

void SslSessionFree::operator()(ssl_session_st* session) const noexcept {
  SSL_SESSION_free(session);
}

void TlsSessions::enable(ssl_ctx_st& context) noexcept {
  SSL_CTX_set_session_cache_mode(&context,
                                 SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(&context, &TlsSessions::on_new);
}

void TlsSessions::follow(ssl_st& connection) {
  const Kept kept = take();
  auto trust = std::make_unique<Trust>(Trust{this, clock_.now() + kLongest, kept.until});
  if (SSL_set_ex_data(&connection, trust_index(), trust.get()) != 1) throw std::bad_alloc();
  static_cast<void>(trust.release());
  if (kept.session != nullptr) SSL_set_session(&connection, kept.session.get());
}

// OpenSSL spoils its own when the connection ends without a goodbye, so a copy is kept.
int TlsSessions::on_new(ssl_st* connection, ssl_session_st* session) noexcept {
  const auto* const trust = static_cast<Trust*>(SSL_get_ex_data(connection, trust_index()));
  if (trust == nullptr) return 0;
  const bool resumed = SSL_session_reused(connection) == 1;
  try {
    trust->sessions->keep(SslSession(SSL_SESSION_dup(session)),
                          resumed ? trust->resumed : trust->fresh);
  } catch (const std::bad_alloc&) {
    // The next handshake is a full one.
  }
  return 0;
}

void TlsSessions::keep(SslSession session, TimePoint until) {
  if (session == nullptr || SSL_SESSION_is_resumable(session.get()) != 1) return;
  if (kept_.size() == kMost) kept_.pop_front();
  kept_.push_back({std::move(session), until});
}

TlsSessions::Kept TlsSessions::take() {
  const TimePoint now = clock_.now();
  std::erase_if(kept_, [now](const Kept& kept) { return now >= kept.until; });
  if (kept_.empty()) return {};
  Kept newest = std::move(kept_.back());
  kept_.pop_back();
  if (SSL_SESSION_get_protocol_version(newest.session.get()) < TLS1_3_VERSION) {
    // A copy again: what a connection was resumed from is spoilt with it.
    keep(SslSession(SSL_SESSION_dup(newest.session.get())), newest.until);
  }
  return newest;
}

}  // namespace aiserve::inline v0::http::detail
