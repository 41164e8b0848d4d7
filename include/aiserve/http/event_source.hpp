/// EventSource: follows an event stream of another service (WHATWG HTML, 9.2), over broken
/// connections and restarts: it comes back with Last-Event-ID, after the pause the server asked for
/// and a random one on top, so that those who were cut off together don't come back together.
///
/// *Thread safety:* one I/O thread, one next() at a time. It ends before its Client and its
/// Runtime. *Errors:* next() gives the Context's error; unavailable after `max_failures` attempts
/// in a row or for an answer that is no event stream, too_large for an event beyond `max_event`,
/// and what makes no sense to repeat: invalid_argument, permission_denied. After such an error it
/// stays.
///
///     http::EventSource ticks(client, http::ClientRequest(http::Method::get, url));
///     for (;;) {
///       Result<std::optional<http::ServerEvent>> event = co_await ticks.next(ctx);
///       if (!event) co_return event.error();
///       if (!*event) break;  // the server says that there is no more
///       use((*event)->data);
///     }
#pragma once

#include <aiserve/core/async.hpp>
#include <aiserve/http/client.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace aiserve::inline v0::http {

struct ServerEvent {
  std::string type;  ///< "message" if the server named none
  std::string data;
  /// The last one the server gave; empty: none so far. One beyond 1 KiB counts as not given.
  std::string id;
};

struct EventSourceOptions {
  /// Before coming back, unless the server asks for another pause, 1 ms to longest_pause.
  std::chrono::milliseconds retry{1'000};
  /// The random part grows with every failure in a row up to this, up to one hour.
  std::chrono::milliseconds longest_pause{30'000};
  /// Attempts in a row without an event stream, 1 to 1,000,000.
  int max_failures = 100;
  /// Bytes of one event, 1 KiB to 1 GiB.
  std::size_t max_event = 1024 * 1024;
  /// Where to begin: only what came after that event.
  std::string last_event_id{};
};

class EventSource {
 public:
  /// Throws ConfigError for options out of their range. Nothing is sent before next().
  EventSource(Client& client, ClientRequest request, EventSourceOptions options = {});
  EventSource(EventSource&&) noexcept;
  EventSource& operator=(EventSource&&) noexcept;
  ~EventSource();

  /// Nothing: the server has answered 204, which ends it for good.
  Async<std::optional<ServerEvent>> next(const Context& ctx);
  const std::string& last_event_id() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aiserve::inline v0::http
