/// EventChannel: one stream of events that many clients follow (WHATWG HTML, 9.2.3).
///
/// It numbers its events and keeps the newest, so a client that comes back with Last-Event-ID gets
/// what it missed, in order, without a gap or a repetition. If that is not kept any more, or the id
/// is of another process, it gets an event of type `reset` instead: fetch the state anew, what
/// follows is complete from here on. Each event is encoded once and shared by all clients; every
/// one has its own bounded buffer and falls behind alone (SlowClient).
/// *Thread safety:* any thread, send() and close() never block on a client. *Errors:* send() gives
/// invalid_argument for a line break or NUL in event or id, or a negative retry; the constructor
/// throws ConfigError.
///
///     http::EventChannel ticks;
///     server.events("/v1/ticks", ticks);
///     ...
///     ticks.send({.event = "tick", .data = state});
#pragma once

#include <aiserve/core/async.hpp>
#include <aiserve/http/event_stream.hpp>

#include <cstddef>
#include <memory>
#include <string>

namespace aiserve::inline v0::http {

class Request;

struct EventChannelOptions {
  /// Newest events that are kept for clients that come back, at most 1,000,000.
  std::size_t replay_events = 256;
  /// Their bytes, at most 1 GiB; the oldest go. A client whose buffer (ServerOptions::max_events)
  /// cannot take all it missed gets a reset, so keep it below that.
  std::size_t replay_bytes = 256 * 1024;
  /// How many of the newest a client without Last-Event-ID gets, for a first picture.
  std::size_t newcomers_get = 0;
  /// Type of the event that replaces what was missed and is not kept. Empty: none is sent.
  std::string reset_event = "reset";
  /// Clients that may follow at once, at least 1; beyond it follow() gives overloaded.
  std::size_t max_followers = 10'000;
};

class EventChannel {
 public:
  explicit EventChannel(EventChannelOptions options = {});
  /// Closes. Streams that still end then need no channel.
  ~EventChannel();
  EventChannel(const EventChannel&) = delete;
  EventChannel& operator=(const EventChannel&) = delete;

  /// To all that follow, and kept. An event without an id gets one.
  Result<void> send(const Event& event);
  /// The life of one client's stream, for a handler of Server::events(): sends what it missed, then
  /// what comes, until the client goes, the server drains or close(). Errors: overloaded.
  Async<void> follow(const Context& ctx, const Request& request, EventStream stream);
  /// Ends all streams; nothing can be sent or followed after it.
  void close() noexcept;

  std::size_t followers() const noexcept;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace aiserve::inline v0::http
