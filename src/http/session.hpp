// Session: one socket with its Connection, and what the server does with its requests.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "core/io_thread.hpp"
#include "http/connection.hpp"
#include "http/listener.hpp"
#include "http/peer.hpp"
#include "http/peer_counts.hpp"
#include "http/proxy_header.hpp"
#include "http/server_core.hpp"
#include "http/session_link.hpp"
#include "http/tls_filter.hpp"

namespace aiserve::inline v0::http::detail {

class HttpThread;
struct Handshake;

class Session final : private ConnectionEvents, private v0::detail::FlushNode {
 public:
  Session(HttpThread& thread, Descriptor socket, std::shared_ptr<Peer> peer,
          PeerCounts::Pass place);
  ~Session();

  // All of these may destroy the session. None throws: what goes wrong, memory say, ends the
  // connection with a line in the log.
  void on_event(std::uint32_t events) noexcept;
  void tick() noexcept;
  void drain() noexcept;
  void close(CancelReason reason) noexcept;

  // The answer of a suspended handler; what it leads to is sent at the end of this turn.
  void respond_later(Exchange& exchange, Result<Response>&& result);
  // What a before hook has waited for is known: the request goes on, or is answered.
  void go_on(Exchange& exchange, Result<std::optional<Response>>&& answer) noexcept;
  // What let a handler in lets its response out, too; its place serves the next of this turn.
  void take_back(Gate::Pass&& pass, Places::Pass&& place) noexcept {
    if (!pass_) pass_ = std::move(pass);
    if (in_turn_ && !spare_place_) spare_place_ = std::move(place);
  }
  // For a handler that is suspended and may outlive this session. Not empty.
  Gate::Pass lend_pass() noexcept;
  // A stream, or the protocol after an upgrade, has something to send.
  void stream_ready() noexcept;
  // To wake this session from anywhere; made at the first call.
  const std::shared_ptr<SessionLink>& link();

  Session* previous = nullptr;  // in the thread's list
  Session* next = nullptr;

 private:
  // dispatch.cpp
  void on_head(Exchange& exchange) override;
  void on_request(Exchange& exchange) override;
  void on_deadline(Exchange& exchange) override;
  void on_written(Exchange& exchange) override;
  void on_gone(Exchange& exchange, CancelReason reason) override;
  Response refusal(Exchange& exchange, int status, std::string_view reason) override;
  void route(Exchange& exchange);
  ContextOptions beginnings(const Exchange& exchange) const;
  TraceParent begin_trace(Exchange& exchange);
  static void end_trace(Exchange& exchange, int status) noexcept;
  void answer_unrouted(Exchange& exchange, MethodMask allowed);
  bool run_before(Exchange& exchange);
  void run_after(Exchange& exchange, Response& response);
  void run_check(Exchange& exchange);
  bool enter_gate(Exchange& exchange);
  void serve(Exchange& exchange);
  // False: answered.
  bool accept_coding(Exchange& exchange);
  bool decode(Exchange& exchange);
  void run_plain(Exchange& exchange, const PlainHandler& handler);
  void run_async(Exchange& exchange);
  void run_events(Exchange& exchange);
  void prepare_reader(Exchange& exchange);
  void prepare_writer(Exchange& exchange);
  bool begin_stream(Exchange& exchange, Response&& head);
  // websocket_dispatch.cpp
  void run_websocket(Exchange& exchange);
  void open_socket(Exchange& exchange, const WebSocketEndpoint& endpoint, const Handshake& agreed);
  void tell_open(Exchange& exchange, const WebSocketOptions& options);
  // dispatch.cpp
  Response failure(Exchange& exchange, const Error& error);
  void respond(Exchange& exchange, Result<Response>&& result);
  void respond(Exchange& exchange, Response&& response);

  // admission.cpp
  bool admit(Exchange& exchange);
  bool take_tenant_place(Exchange& exchange);
  bool take_place(Exchange& exchange);
  bool take_server_place(Exchange& exchange);
  bool shed(Exchange& exchange, Refusals::Cause cause, Duration retry_after);

  // session.cpp
  template <class F>
  void guarded(F&& work) noexcept;
  static void on_flush(FlushNode* node) noexcept;
  void read();
  bool read_once();
  bool read_proxy();
  bool refuse_proxy(Refusals::Cause cause, std::string_view reason);
  bool nothing_received(ssize_t n);
  bool wants_write() const noexcept;
  void write();
  bool write_once();
  bool nothing_sent();
  void tell_if_slow(bool sent) noexcept;
  void reset_on_close() noexcept;
  void settle() noexcept;
  std::uint32_t wanted_events() const noexcept;

  // session_tls.cpp
  void start_tls();
  bool read_tls();
  void decrypt();
  void greet();
  void refuse_tls();
  void check_handshake();
  bool write_tls();
  void end_tls() noexcept;

  HttpThread& thread_;
  ServerCore& core_;
  Descriptor socket_;
  std::shared_ptr<Peer> peer_;
  PeerCounts::Pass place_;
  std::unique_ptr<ProxyHeader> proxy_;  // while it is awaited
  std::unique_ptr<TlsFilter> tls_;      // null: plain HTTP
  Connection connection_;
  std::shared_ptr<SessionLink> link_;
  Gate::Pass pass_;                     // while the connection is busy
  Places::Pass spare_place_;            // left by a handler of this turn that has ended
  TimePoint accepted_;                  // when the handshake began
  std::size_t encrypted_ = 0;           // bytes of the connection's output that are in the filter's
  std::optional<SlowRequest> written_;  // the last one whose response is not yet all sent
  std::uint32_t events_ = 0;
  bool write_blocked_ = false;
  bool input_ended_ = false;
  bool send_shut_ = false;
  bool in_turn_ = false;  // what is answered now is sent at the end of this call anyway
};

}  // namespace aiserve::inline v0::http::detail
