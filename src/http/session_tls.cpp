// A session's socket with TLS between it and the connection.
#include <algorithm>
#include <array>

#include <sys/socket.h>

#include "http/http_thread.hpp"
#include "http/session.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

constexpr std::size_t kPieces = 16;
constexpr std::string_view kPlainHttp =
    "HTTP/1.1 400 Bad Request\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: 33\r\n"
    "Connection: close\r\n"
    "\r\n"
    "This port speaks HTTPS, not HTTP\n";

}  // namespace

void Session::start_tls() {
  tls_ = std::make_unique<TlsFilter>(core_.tls->current(), thread_.tls_scratch());
}

bool Session::read_tls() {
  const std::span<char> cipher = thread_.cipher_buffer();
  const ssize_t n = ::recv(socket_.get(), cipher.data(), cipher.size(), 0);
  if (n <= 0) return nothing_received(n);
  const auto size = static_cast<std::size_t>(n);
  tls_->receive({cipher.data(), size});
  decrypt();
  write();
  return size == cipher.size();
}

// All that was received, also beyond what the connection would like to read now: it keeps it.
void Session::decrypt() {
  while (connection_.phase() != Phase::closed) {
    const std::span<std::byte> body = connection_.body_target();
    const std::span<char> shared = thread_.read_buffer();
    const std::size_t n = body.empty() ? tls_->read(shared.data(), shared.size())
                                       : tls_->read(body.data(), body.size());
    if (!peer_->secure && tls_->state() == TlsFilter::State::open) greet();
    if (n == 0) break;
    if (body.empty()) {
      connection_.feed({shared.data(), n}, thread_.now());
    } else {
      connection_.body_received(n, thread_.now());
    }
  }
  if (tls_->state() == TlsFilter::State::failed) return refuse_tls();
  if (tls_->state() != TlsFilter::State::ended || input_ended_) return;
  input_ended_ = true;
  connection_.end_of_input(thread_.now());
}

void Session::greet() {
  peer_->secure = true;
  if (auto certificate = tls_->client_certificate()) {
    peer_->certificate = std::make_unique<const ClientCertificate>(std::move(*certificate));
  }
  core_.handshakes->inc();
}

void Session::refuse_tls() {
  if (!peer_->secure) {
    core_.refusals.count(tls_->plain_http() ? Refusals::Cause::plain_http
                                            : Refusals::Cause::handshake);
    core_.telemetry.log().debug("http: a TLS handshake failed",
                                {{"peer", peer_->address}, {"reason", tls_->failure()}});
  }
  if (tls_->plain_http()) {
    (void)::send(socket_.get(), kPlainHttp.data(), kPlainHttp.size(), MSG_NOSIGNAL);
    tls_->consume(tls_->output().size());
  }
  connection_.abort(CancelReason::client_gone);
}

void Session::check_handshake() {
  if (tls_->state() != TlsFilter::State::handshake) return;
  if (thread_.now() - accepted_ < core_.options.tls.handshake_timeout) return;
  core_.refusals.count(Refusals::Cause::handshake);
  connection_.abort(CancelReason::slow_client);
}

// The connection's output counts as sent when the peer has taken all of its ciphertext, so that
// what it does about slow peers and about its end holds with TLS as well.
bool Session::write_tls() {
  if (tls_->output().empty()) {
    std::array<iovec, kPieces> pieces;
    const std::size_t used = connection_.gather(pieces);
    encrypted_ = tls_->write(std::span(pieces).first(used));
    if (tls_->output().empty()) return false;
  }
  const std::string_view cipher = tls_->output();
  const ssize_t n = ::send(socket_.get(), cipher.data(), cipher.size(), MSG_NOSIGNAL);
  if (n < 0) return nothing_sent();
  const auto size = static_cast<std::size_t>(n);
  tls_->consume(size);
  const bool all = size == cipher.size();
  // Ciphertext is longer than what it holds; the last byte of that waits for the last of this.
  const std::size_t told = all ? encrypted_ : encrypted_ == 0 ? 0 : std::min(size, encrypted_ - 1);
  encrypted_ -= told;
  if (told != 0) connection_.sent(told, thread_.now());
  return true;
}

// What can still be said is said; nobody waits until it is taken.
void Session::end_tls() noexcept {
  if (tls_ == nullptr || write_blocked_) return;
  tls_->end();
  const std::string_view last = tls_->output();
  if (!last.empty()) (void)::send(socket_.get(), last.data(), last.size(), MSG_NOSIGNAL);
}

}  // namespace aiserve::inline v0::http::detail
