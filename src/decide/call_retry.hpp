// When a call to another service is repeated, and when that would be a second effect. Pure.
//
// A call may be repeated when nothing of it can have had an effect (no byte was sent), or when a
// second one changes nothing (RFC 9110 section 9.2.2, or the caller gave an idempotency key).
#pragma once

#include <cstdint>

#include "decide/nanos.hpp"

namespace aiserve::inline v0::decide {

struct CallOutcome {
  int status = 0;         // of the answer; 0: there is none
  bool sent = false;      // a byte of the request may have reached the peer
  bool answered = false;  // a byte of an answer has come
  bool reused = false;    // the connection had served before
  bool refused = false;   // by ourselves: no further attempt would fare better
  bool broken = false;    // the connection was cut, and did not merely stay silent
  bool given_up = false;  // by the caller, who gave the peer less time than it may take
};

/// The peer said, or its silence does, that it has no use for more calls now.
constexpr bool is_failure(const CallOutcome& call) noexcept {
  if (call.status == 0) return !call.refused;
  return call.status == 502 || call.status == 503 || call.status == 504;
}

/// Worth another attempt at a later time.
constexpr bool is_transient(const CallOutcome& call) noexcept {
  return is_failure(call) || call.status == 429;
}

constexpr bool may_repeat(const CallOutcome& call, bool idempotent) noexcept {
  return idempotent || (call.status == 0 && !call.sent);
}

/// A kept connection that the peer closed just when it was used: not the peer's failure, and worth
/// one attempt on a new connection at once.
constexpr bool was_stale(const CallOutcome& call) noexcept {
  return call.status == 0 && call.reused && call.broken && !call.answered && !call.refused;
}

/// False when nothing was learnt of the peer's health.
constexpr bool tells_of_peer(const CallOutcome& call) noexcept {
  return !call.given_up && !was_stale(call);
}

/// Is there time for a pause and something after it?
constexpr bool fits(Nanos pause, Nanos remaining) noexcept { return pause < remaining; }

}  // namespace aiserve::inline v0::decide
