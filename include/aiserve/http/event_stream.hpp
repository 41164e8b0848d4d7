/// EventStream: the sending end of a Server-Sent Events response (WHATWG HTML, 9.2).
///
/// Events wait in a bounded buffer until the client has taken them; what becomes of a client that
/// falls behind by more than that is its route's to say (SlowClient). A comment goes out as a
/// heartbeat when nothing else did. The stream ends when its handler returns, when the client goes,
/// when the server drains, or with close(); then its Context is cancelled, send() says so and the
/// handler should return. Copies are handles of one stream; the last copy may outlive server and
/// client. For many clients of the same events, and resuming: EventChannel.
/// *Thread safety:* any thread.
/// *Errors:* send() returns cancelled once closed, invalid_argument for a line break or NUL in
/// event or id or a negative retry, overloaded when the event does not fit and the client is
/// disconnected, too_large when it would never fit (the stream is open still).
///
///     server.events("/v1/stream", [&](const Context& ctx, const http::Request&,
///                                     http::EventStream stream) -> Async<void> {
///       while (stream.send({.event = "stats", .data = hub.stats()})) {
///         if (!co_await sleep(ctx, 250ms)) break;
///       }
///       co_return success();
///     });
#pragma once

#include <aiserve/core/result.hpp>
#include <aiserve/http/slow_client.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace aiserve::inline v0::http {

namespace detail {
class EventQueue;
}

struct EventOptions {
  /// Bytes of events that may wait for one client, 1 KiB to 1 GiB; each counts 96 more for its
  /// keeping. 64 KiB more may be on their way. Default: the server's max_events.
  std::optional<std::size_t> max_events{};
  SlowClient slow_client = SlowClient::disconnect;
};

/// What one event consists of. Name it, or make it in a statement of its own: never within an
/// awaited expression (docs/concepts.md).
struct Event {
  std::string_view event{};  ///< the type; empty: "message"
  std::string_view data{};   ///< any text; its lines become data lines
  std::string_view id{};     ///< what the browser sends back as Last-Event-ID; empty: none
  std::optional<std::chrono::milliseconds> retry{};  ///< the browser's delay before it reconnects
};

class EventStream {
 public:
  explicit EventStream(std::shared_ptr<detail::EventQueue> queue) noexcept
      : queue_(std::move(queue)) {}

  Result<void> send(const Event& event) const;
  /// Something the browser's EventSource does not show: keeps proxies awake, helps who reads along.
  Result<void> comment(std::string_view text) const;
  /// Events that this client has lost (SlowClient::drop_oldest).
  std::uint64_t dropped() const noexcept;
  /// False once the stream is closed by either side.
  bool open() const noexcept;
  /// What was sent before still goes out.
  void close() const noexcept;

 private:
  friend class EventChannel;
  std::shared_ptr<detail::EventQueue> queue_;
};

}  // namespace aiserve::inline v0::http
