// Protocol: what a connection speaks after an upgrade (RFC 9110 section 7.8), WebSocket say.
//
// A handler answers with ResponseWriter::switching(). When all that was asked before has been
// answered, the Connection writes the 101 and from then on passes everything on: input, output,
// time and ends. All calls come on the connection's thread. To have output sent that comes about
// between them, wake the session (SessionLink), which then gathers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <sys/uio.h>

#include "aiserve/core/context.hpp"
#include "aiserve/core/deadline.hpp"

namespace aiserve::inline v0::http::detail {

enum class Phase : std::uint8_t {
  open,
  lingering,  // everything is sent: shut down sending, feed and drop what still comes
  closed      // close the socket
};

class Protocol {
 public:
  Protocol() = default;
  Protocol(const Protocol&) = delete;
  Protocol& operator=(const Protocol&) = delete;
  virtual ~Protocol() = default;

  // What the peer sent; first what it sent behind its request already. The bytes live as long as
  // the call.
  virtual void feed(std::string_view bytes, TimePoint now) = 0;
  // The peer has stopped sending.
  virtual void end_of_input(TimePoint now) = 0;

  // Fills `pieces` from the front of what waits to be sent; returns how many it used.
  virtual std::size_t gather(std::span<iovec> pieces) const noexcept = 0;
  // The first `n` bytes of it have left.
  virtual void sent(std::size_t n, TimePoint now) = 0;

  // False: the peer is not read from, so that it has to wait, too.
  virtual bool wants_read() const noexcept = 0;
  virtual bool wants_write() const noexcept = 0;
  // Asked after every other call. Other than open ends the connection at once, so not before all
  // that matters has been sent.
  virtual Phase phase() const noexcept = 0;

  // The session was woken (SessionLink).
  virtual void woken(TimePoint /*now*/) {}
  // Looks at its timeouts, several times a second.
  virtual void tick(TimePoint now) = 0;
  // The server shuts down: say goodbye.
  virtual void drain(TimePoint now) = 0;
  // The connection is over, and nothing else is called any more. `client_gone` unless there is a
  // better reason; none if phase() said so. Called exactly once, unless the 101 was never sent:
  // then nothing is called at all.
  virtual void ended(CancelReason reason) noexcept = 0;
};

}  // namespace aiserve::inline v0::http::detail
