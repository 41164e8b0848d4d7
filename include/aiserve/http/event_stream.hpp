/// EventStream: the sending end of a Server-Sent Events response (WHATWG HTML, 9.2).
///
/// Events wait in a bounded buffer until the client has taken them; a client that falls behind by
/// more than that is disconnected (its Context: slow_client). A comment goes out as a heartbeat
/// when nothing else did. The stream ends when its handler returns, when the client goes, when the
/// server drains, or with close(); then send() says so and the handler should return.
/// Copies are handles of one stream; the last copy may outlive server and client.
/// *Thread safety:* any thread.
/// *Errors:* send() returns cancelled once closed, invalid_argument for a line break or NUL in
/// event or id, overloaded when the event does not fit the buffer (the stream is closed then).
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

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace aiserve::inline v0::http {

namespace detail {
class EventQueue;
}

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
  /// False once the stream is closed by either side.
  bool open() const noexcept;
  /// What was sent before still goes out.
  void close() const noexcept;

 private:
  std::shared_ptr<detail::EventQueue> queue_;
};

}  // namespace aiserve::inline v0::http
