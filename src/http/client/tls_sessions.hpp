// TlsSessions: what a client has from one origin to shorten its next TLS handshakes with: no
// certificate travels, and TLS 1.2 saves a round trip (RFC 8446 section 2.2, RFC 5077).
//
// A ticket of TLS 1.3 is used once, so that nobody on the way can tell that two connections are of
// one client (RFC 8446 appendix C.4); a session of TLS 1.2 until a newer one comes. Nothing is kept
// for longer than kLongest after the full handshake it goes back to, however many tickets lie
// between: a resumed connection is trusted on what the certificate said then (RFC 8446
// section 4.6.1). *Thread safety:* that of its pool: one I/O thread.
#pragma once

#include <deque>
#include <memory>

#include "aiserve/core/clock.hpp"

struct ssl_ctx_st;
struct ssl_session_st;
struct ssl_st;

namespace aiserve::inline v0::http::detail {

struct SslSessionFree {
  void operator()(ssl_session_st* session) const noexcept;
};
using SslSession = std::unique_ptr<ssl_session_st, SslSessionFree>;

class TlsSessions {
 public:
  struct Kept {
    SslSession session;  // null: there is none
    TimePoint until{};
  };

  static constexpr std::size_t kMost = 8;
  static constexpr std::chrono::minutes kLongest{60};

  explicit TlsSessions(const Clock& clock) noexcept : clock_(clock) {}

  // From now on connections of the context can be followed.
  static void enable(ssl_ctx_st& context) noexcept;
  // Offers the server what there is, and keeps what it gives. Both live as long as the connection
  // reads.
  void follow(ssl_st& connection);

  Kept take();
  void keep(SslSession session, TimePoint until);
  std::size_t size() const noexcept { return kept_.size(); }

 private:
  static int on_new(ssl_st* connection, ssl_session_st* session) noexcept;

  const Clock& clock_;
  std::deque<Kept> kept_;  // the newest at the back
};

}  // namespace aiserve::inline v0::http::detail
