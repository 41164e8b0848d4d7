// Session: one socket with its Connection, and what the server does with its requests.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/io_thread.hpp"
#include "http/connection.hpp"
#include "http/listener.hpp"
#include "http/server_core.hpp"
#include "http/session_link.hpp"

namespace aiserve::inline v0::http::detail {

class HttpThread;

class Session final : private ConnectionEvents, private v0::detail::FlushNode {
 public:
  Session(HttpThread& thread, Descriptor socket, std::string peer);
  ~Session();

  // All of these may destroy the session. None throws: what goes wrong, memory say, ends the
  // connection with a line in the log.
  void on_event(std::uint32_t events) noexcept;
  void tick() noexcept;
  void drain() noexcept;
  void close(CancelReason reason) noexcept;

  // The answer of a suspended handler; what it leads to is sent at the end of this turn.
  void respond_later(Exchange& exchange, Result<Response>&& result);
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
  void on_gone(Exchange& exchange, CancelReason reason) override;
  Response refusal(Exchange& exchange, int status, std::string_view reason) override;
  void route(Exchange& exchange);
  void answer_unrouted(Exchange& exchange, MethodMask allowed);
  bool run_before(Exchange& exchange);
  void run_plain(Exchange& exchange, const PlainHandler& handler);
  void run_async(Exchange& exchange);
  void run_events(Exchange& exchange);
  Response to_response(Exchange& exchange, Result<Response>&& result);
  void respond(Exchange& exchange, Response&& response);

  // session.cpp
  template <class F>
  void guarded(F&& work) noexcept;
  static void on_flush(FlushNode* node) noexcept;
  void read();
  bool read_once();
  void write();
  bool write_once();
  void settle() noexcept;
  std::uint32_t wanted_events() const noexcept;

  HttpThread& thread_;
  ServerCore& core_;
  Descriptor socket_;
  std::string peer_;
  Connection connection_;
  Gate::Pass pass_;  // while the connection is busy
  std::shared_ptr<SessionLink> link_;
  std::uint32_t events_ = 0;
  bool write_blocked_ = false;
  bool input_ended_ = false;
  bool send_shut_ = false;
  bool in_turn_ = false;  // what is answered now is sent at the end of this call anyway
};

}  // namespace aiserve::inline v0::http::detail
