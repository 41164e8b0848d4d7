/// Options of an http::Client: whom it trusts, where it may connect, how long it waits, how much it
/// takes, and when it tries again.
///
/// All limits on connections are per I/O thread: each thread has a pool of its own, without a lock.
/// *Thread safety:* values. *Errors:* ConfigError from the Client's constructor, naming the option.
///
///     http::Client client(runtime, {.name = "search", .timeout = 2s,
///                                   .allow_addresses = {"10.0.0.0/8"}});
#pragma once

#include <aiserve/core/result.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace aiserve::inline v0::http {

struct ClientTlsOptions {
  /// Certificates (PEM) of the authorities that servers are verified against. Empty: the system's.
  /// Verification of chain, dates and name cannot be switched off.
  std::string ca{};
  /// What the client shows to servers that ask who it is, own certificate first; PEM. Default:
  /// none.
  std::string certificate{};
  /// Its private key, without a pass phrase.
  std::string private_key{};
  /// Resume earlier sessions with an origin, for an hour after a full handshake at most: no
  /// certificate is sent and looked at again. Default: true; false if each connection has to prove
  /// who it is.
  bool resume = true;
};

/// Which calls are repeated: those that got no answer, 429, 502, 503 or 504, if nothing of them was
/// sent, or they are idempotent (RFC 9110 section 9.2.2) or carry an Idempotency-Key. Pauses are
/// drawn between 0 and first_pause * 2^n ("full jitter"), after what Retry-After asks for; a pause
/// that the deadline would not outlive is not begun.
struct ClientRetryOptions {
  /// Of one call, the first included, 1 (never repeat) to 10.
  int attempts = 3;
  /// Repeated calls per call, per origin, 0 to 1: bounds what retries add to the load of a service
  /// that is down.
  double budget = 0.1;
  /// Repeated calls at once after a calm, 0 to 1000.
  double burst = 10;
  /// Longest first pause, 1 ms to longest_pause.
  std::chrono::milliseconds first_pause{50};
  /// Longest pause, up to one hour.
  std::chrono::milliseconds longest_pause{2'000};
  /// The longest Retry-After that is waited for, 0 to one hour; who asks for more gets no retry.
  std::chrono::milliseconds longest_wait{10'000};
};

/// A circuit breaker per origin and I/O thread: after `failures` among the last `window` calls that
/// got no answer, or 502, 503 or 504, calls fail at once with unavailable; after a pause, which
/// doubles up to longest_pause, one call probes.
struct ClientBreakerOptions {
  /// Calls looked at, 1 to 64.
  unsigned window = 20;
  /// Of them, until it opens, 1 to window; 0: never.
  unsigned failures = 10;
  /// First pause, 1 ms to longest_pause.
  std::chrono::milliseconds first_pause{500};
  /// Longest pause, up to one hour.
  std::chrono::milliseconds longest_pause{30'000};
};

/// Addresses ("192.0.2.1", "2001:db8::1") of a host name, in the order to be tried. Called on the
/// blocking pool, from several threads at once, never for the same name at the same time.
using HostResolver = std::function<Result<std::vector<std::string>>(const std::string& host)>;

struct ClientOptions {
  /// Names the client in metrics and logs.
  std::string name = "client";
  ClientTlsOptions tls{};
  /// Blocks of addresses that may be connected to though they are not public: "127.0.0.0/8",
  /// "10.0.0.0/8", "fd00::/8". All others that are private, loopback, link-local or reserved are
  /// refused with permission_denied, whatever name or redirect led there; the address that was
  /// checked is the one that is connected to.
  std::vector<std::string> allow_addresses{};
  /// Default: the system's (getaddrinfo). However long it takes, a call leaves in time; all that
  /// ask for one name share one lookup, and the lookups of all clients together take half of the
  /// Runtime's blocking threads at most.
  HostResolver resolve{};
  /// Names that may wait to be looked up, up to 100,000; beyond it overloaded.
  std::size_t max_lookups = 64;
  /// Addresses are remembered for so long, up to one hour, or until none of them takes a
  /// connection; 0: each new connection asks anew. Failures are not remembered.
  std::chrono::milliseconds keep_addresses{30'000};

  /// Connections per origin, 1 to 10,000.
  std::size_t max_connections = 64;
  /// Calls per origin that may wait for one of them, up to 100,000; beyond it overloaded.
  std::size_t max_waiting = 1024;
  /// Origins that are remembered, 1 to 100,000. If all are in use, a further one is overloaded.
  std::size_t max_origins = 256;
  /// A connection that nobody used for so long is closed, 1 ms to one day. Below that of servers,
  /// so that they seldom close first.
  std::chrono::milliseconds idle_timeout{20'000};

  /// Resolving and connecting, all addresses of a host together, 1 ms to one hour.
  std::chrono::milliseconds connect_timeout{5'000};
  /// TLS handshake, 1 ms to one hour.
  std::chrono::milliseconds handshake_timeout{5'000};
  /// Last byte of the request to the first of the answer, 1 ms to one day.
  std::chrono::milliseconds first_byte_timeout{30'000};
  /// Without a byte moving, while the request is sent or the answer comes, 1 ms to one day.
  std::chrono::milliseconds stall_timeout{30'000};
  /// The whole call: waiting, redirects, retries, the body; 1 ms to one day. The Context's deadline
  /// holds as well. A request may say otherwise. Of a stream (Client::open) to its head.
  std::chrono::milliseconds timeout{30'000};

  /// Bytes of the answer's status line and fields, 1 KiB to 1 MiB.
  std::size_t max_head = 32 * 1024;
  /// Fields of the answer, 1 to 1000.
  std::size_t max_headers = 100;
  /// Bytes of the answer's body, as sent and as decoded. A request may say otherwise.
  std::size_t max_body = 16 * 1024 * 1024;
  /// Ask for gzip and deflate, and decode them.
  bool decode = true;
  /// Redirects followed per call, 0 to 20; 0: a redirect is an answer like any other. Credentials
  /// don't go to another origin, nor do bodies; https never becomes http.
  int max_redirects = 5;
  /// Send the time that is left as Request-Timeout-Ms, so that the server need not work longer.
  bool send_deadline = true;
  /// User-Agent; empty: none.
  std::string user_agent = "aiserve";
  ClientRetryOptions retry{};
  ClientBreakerOptions breaker{};
};

}  // namespace aiserve::inline v0::http
