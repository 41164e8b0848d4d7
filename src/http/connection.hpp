// Connection: one HTTP/1.1 connection without its socket. Bytes go in, bytes come out, time is an
// argument; what happens is decided here and nowhere else.
//
// Requests are parsed as they come, up to 16 at a time are worked on, and answered in their order.
// Unsafe methods run alone: RFC 9112 section 9.3.2 allows side by side only what is safe. When the
// ring is full or much output waits, parsing stops; when much input waits, reading stops.
// An error in framing is answered after what came before it, then the connection ends, lingering
// for a moment so that the answer isn't lost to a reset (RFC 9112 section 9.6).
//
// A request to upgrade runs alone, and nothing behind it is parsed before its answer: if that is a
// 101, a Protocol takes over (connection_upgrade.cpp).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <sys/uio.h>

#include "http/exchange.hpp"
#include "http/out_buffer.hpp"
#include "http/protocol.hpp"
#include "http/repeated_head.hpp"
#include "http/response_writer.hpp"
#include "http/websocket_resources.hpp"

namespace aiserve::inline v0::http::detail {

struct ConnectionLimits {
  HeadLimits head{};
  std::uint64_t body_bytes = 16 * 1024 * 1024;       // unless the route says otherwise
  std::size_t out_bytes = 256 * 1024;                // beyond it no further request is parsed
  std::size_t read_ahead = 64 * 1024;                // unparsed bytes beyond which reading stops
  Duration head_timeout = std::chrono::seconds(10);  // first byte to end of head, and to first byte
  Duration body_timeout = std::chrono::seconds(60);  // head to end of body
  Duration idle_timeout = std::chrono::seconds(75);  // between requests
  Duration write_timeout = std::chrono::seconds(30);  // without a byte taken by the peer
  Duration linger_timeout = std::chrono::seconds(2);
  Duration heartbeat = std::chrono::seconds(15);  // of a stream without events
};

// What a Connection asks of the server. Called on the connection's thread, inside its calls.
class ConnectionEvents {
 public:
  // The head is complete. Either answers at once (Connection::answer), or leaves it at that; then
  // on_request follows when the body is complete, or at once if the body has a sink. May change
  // exchange.body_limit and exchange.sink.
  virtual void on_head(Exchange& exchange) = 0;
  // To be handled. Must answer, now or later. The request's views die when this returns unless
  // exchange.data.own() was called.
  virtual void on_request(Exchange& exchange) = 0;
  // The deadline of a running handler has passed: cancel it and answer.
  virtual void on_deadline(Exchange& exchange) = 0;
  // The whole response is in the out buffer, or has left; the exchange may go after that.
  virtual void on_written(Exchange&) {}
  // Nobody waits any more for what a handler or a stream does: cancel it.
  virtual void on_gone(Exchange& exchange, CancelReason reason) = 0;
  // What to say to something that is no request (exchange.request is not usable).
  virtual Response refusal(Exchange& exchange, int status, std::string_view reason) = 0;

 protected:
  ~ConnectionEvents() = default;
};

// Shared by the connections of one I/O thread.
struct ConnectionResources {
  WebSocketResources websockets;  // outlives the sockets of the exchanges
  ExchangePool exchanges;
  std::string_view date_line;
  std::vector<std::unique_ptr<OutBuffer>> out_buffers;
  std::vector<Bytes> pieces;  // for one pull
  RepeatedHead repeated;      // of the read that is being processed
};

class Connection {
 public:
  static constexpr std::size_t kSlots = 16;

  using Phase = detail::Phase;

  Connection(ConnectionEvents& events, const ConnectionLimits& limits,
             ConnectionResources& resources, TimePoint now) noexcept;
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // --- the socket's side
  void feed(std::string_view bytes, TimePoint now);
  // Where the next bytes of a large body may be read to directly; empty: use feed().
  std::span<std::byte> body_target() noexcept;
  void body_received(std::size_t n, TimePoint now);
  void end_of_input(TimePoint now);

  std::size_t gather(std::span<iovec> pieces) const noexcept;
  void sent(std::size_t n, TimePoint now);

  bool wants_read() const noexcept;
  bool wants_write() const noexcept;
  Phase phase() const noexcept { return phase_; }
  // Close with a reset: a body that ends with its connection is not complete, and nothing else
  // could tell.
  bool must_reset() const noexcept { return reset_; }
  // A request is being read or worked on, output waits, or another protocol is spoken.
  bool busy() const noexcept { return count_ != 0 || out_ != nullptr || protocol_ != nullptr; }

  // Looks at all timeouts.
  void tick(TimePoint now);
  // The last response says Connection: close; an idle connection ends now.
  void drain(TimePoint now);
  // Everything ends now, handlers are told why.
  void abort(CancelReason reason) noexcept;

  // --- the server's side
  void answer(Exchange& exchange, Response&& response, TimePoint now);
  // Whether a response that switches protocols may answer this request.
  static bool can_switch(const Exchange& exchange) noexcept;
  // The coroutine of this exchange is done with it.
  void handler_ended(Exchange& exchange) noexcept;
  // The stream of an exchange has something to pull, or the protocol something to send.
  void stream_ready(TimePoint now);
  template <class F>
  void for_each(F&& visit) {
    for (std::size_t i = 0; i < count_; ++i) visit(slot(i));
  }

 private:
  Exchange& slot(std::size_t i) noexcept { return *ring_[(first_ + i) % kSlots]; }
  OutBuffer& out();

  std::string_view process(std::string_view input);
  void process_spill();
  bool can_parse() const noexcept;
  bool step(std::string_view& input);
  bool head_step(std::string_view& input);
  bool parse_head(std::string_view input);
  bool bind(std::string_view input);
  void head_complete(std::string_view& input);
  void early_answer();
  void leave_unread(Exchange& exchange) noexcept;
  bool take_body(std::string_view& input);
  bool length_step(std::string_view& input);
  bool chunked_step(std::string_view& input);
  bool sink_step(std::string_view& input);
  bool sink_chunk(Exchange& exchange, std::string_view& input);
  void finish_sink(Exchange& exchange);
  void fail_sink(int status, std::string_view reason);
  void start(Exchange& exchange);
  void end_of_body(const Exchange& exchange) noexcept;
  void refuse(int status, std::string_view reason);
  bool must_wait(const Head& head) const noexcept;
  void drop_reading() noexcept;

  void advance();
  void write_out();
  void say_continue(Exchange& exchange);
  bool can_write_now(const Exchange& exchange, const Response& response) const noexcept;
  void write_head(Exchange& exchange, Response& response);
  bool pull_stream(Exchange& exchange);
  void append_body(Exchange& exchange, std::vector<Bytes>& pieces);
  void cut_off(Exchange& exchange) noexcept;
  void finish_out() noexcept;
  void end_sending() noexcept;
  void pop_front() noexcept;
  void let_go(Exchange& exchange) noexcept;

  void check_reading(TimePoint now);
  void check_deadlines(TimePoint now);
  void check_stream(TimePoint now);

  void switch_protocol();
  void feed_protocol(std::string_view bytes);
  void hand_over_spill();
  void follow_protocol() noexcept;
  void end_protocol(CancelReason reason) noexcept;

  ConnectionEvents& events_;
  const ConnectionLimits& limits_;
  ConnectionResources& resources_;
  Phase phase_ = Phase::open;
  bool processing_ = false;
  bool stop_reading_ = false;  // nothing that still comes is a request
  bool close_after_out_ = false;
  bool linger_ = false;
  bool draining_ = false;
  bool held_ = false;  // a request waits until others have ended
  bool served_ = false;
  bool reset_ = false;
  bool may_switch_ = false;  // what comes may be of another protocol
  std::uint8_t first_ = 0;
  std::uint8_t count_ = 0;
  std::uint8_t running_ = 0;
  std::array<Exchange*, kSlots> ring_{};
  Exchange* reading_ = nullptr;  // in the ring from the end of its head on, to that of its body
  std::string spill_;            // what cannot be parsed yet
  std::unique_ptr<OutBuffer> out_;
  std::shared_ptr<Protocol> protocol_;
  TimePoint now_;
  TimePoint since_;  // first byte of the head, end of the head, end of the last response
  TimePoint ticked_;
  TimePoint out_since_;           // last progress of the output
  std::size_t discard_left_ = 0;  // of the body of a request that was answered before it
  std::size_t lingered_ = 0;
};

}  // namespace aiserve::inline v0::http::detail
