// HttpThread: a server's part on one I/O thread: its acceptor, its connections, what they share.
//
// Sockets are kept in an epoll set of the server's own, level-triggered, whose descriptor the
// thread's loop waits for. So one wake-up serves all that is ready, idle connections hold no
// pending operation and no buffer, and reading costs no EAGAIN per request (docs/adr: sockets in an
// epoll set).
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "core/io_thread.hpp"
#include "core/runtime_core.hpp"
#include "http/listener.hpp"
#include "http/peer.hpp"
#include "http/peer_counts.hpp"
#include "http/response_writer.hpp"
#include "http/runner.hpp"
#include "http/server_core.hpp"
#include "http/tls_filter.hpp"

namespace aiserve::inline v0::http::detail {

class Session;

class HttpThread {
 public:
  HttpThread(ServerCore& core, v0::detail::IoThread& io, Descriptor listener);
  ~HttpThread();
  HttpThread(const HttpThread&) = delete;
  HttpThread& operator=(const HttpThread&) = delete;

  // Any thread: have the I/O thread do it, in this order.
  void request_start() noexcept { io_.push(&start_); }
  void request_drain() noexcept { io_.push(&drain_); }
  void request_cancel() noexcept { io_.push(&cancel_); }
  void request_close() noexcept { io_.push(&close_); }

  // Any thread: serves a connection that somebody else has made.
  void request_connection(Descriptor socket);

  // Any thread: suspended requests, for the status. At most `at_most` are described.
  struct InFlight {
    std::string id;
    std::string route;
    Duration age;
  };
  std::vector<InFlight> in_flight(std::size_t at_most) const;
  std::size_t in_flight_count() const noexcept {
    return active_count_.load(std::memory_order_relaxed);
  }

  // --- the I/O thread only, from here on
  ServerCore& core() noexcept { return core_; }
  v0::detail::IoThread& io() noexcept { return io_; }
  ConnectionResources& resources() noexcept { return resources_; }
  std::span<char> read_buffer() noexcept { return {read_buffer_.get(), kReadBuffer}; }
  std::span<char> cipher_buffer() noexcept { return {cipher_buffer_.get(), kCipherBuffer}; }
  TlsScratch& tls_scratch() noexcept { return tls_scratch_; }
  // Of this turn of the loop; renewed by clock_now().
  TimePoint now() const noexcept { return now_; }
  TimePoint clock_now() noexcept { return now_ = core_.runtime.clock().now(); }

  void watch(Session& session, int fd, std::uint32_t events) noexcept;
  void rewatch(Session& session, int fd, std::uint32_t events) noexcept;
  // Before the socket is closed: a child process that was forked a moment ago may hold it, too, and
  // then the kernel would go on to tell of it.
  void unwatch(int fd) noexcept;
  // Starts the handler of an exchange that owns its bytes.
  void run_handler(Exchange& exchange);
  // The handler of the exchange has ended. Of a stream that has begun only an error counts.
  void handler_ended(Exchange& exchange, Result<Response>&& result) noexcept;
  // The exchange was answered without its handler, which had been counted as running.
  void handler_not_started(Exchange& exchange) noexcept;
  // What a before hook had to wait for has ended. `own` is what it has made of the Context.
  void check_ended(Exchange& exchange, Context&& own,
                   Result<std::optional<Response>>&& answer) noexcept;
  void destroy(Session& session) noexcept;
  // Of WebSockets (websocket_dispatch.cpp).
  void socket_over(Exchange& exchange) noexcept;
  void log_failed_socket(const Exchange& exchange, const Error& error);

 private:
  using Loop = boost::asio::io_context::executor_type;
  static constexpr std::size_t kReadBuffer = 256 * 1024;
  static constexpr std::size_t kCipherBuffer = 64 * 1024;

  // A message to the thread itself.
  struct Request : v0::detail::InboxNode {
    Request(HttpThread& its_thread, void (HttpThread::*its_action)()) noexcept
        : InboxNode(&Request::run), thread(its_thread), action(its_action) {}
    static void run(InboxNode* node) noexcept {
      auto* const self = static_cast<Request*>(node);
      (self->thread.*self->action)();
    }
    HttpThread& thread;
    void (HttpThread::*action)();
  };
  struct Arrival;
  struct Tick : v0::detail::TimerNode {
    explicit Tick(HttpThread& its_thread) noexcept : TimerNode(&Tick::fired), thread(its_thread) {}
    static void fired(TimerNode* node) noexcept { static_cast<Tick*>(node)->thread.tick(); }
    HttpThread& thread;
  };

  void start();
  void drain();
  void cancel();
  void close();

  void wait_for_events();
  void on_ready();
  bool serve_ready();
  void accept() noexcept;
  bool accept_one();
  HttpThread& thread_for_next() noexcept;
  void adopt(Descriptor socket, std::shared_ptr<Peer> peer, PeerCounts::Pass place) noexcept;
  void pause_accept(bool pause) noexcept;
  void close_listener() noexcept;
  void tick();
  void renew_date() noexcept;
  template <class F>
  void for_each_session(F&& visit);
  void socket_handler_ended(Exchange& exchange, const Result<Response>& result);
  void leave_active(Exchange& exchange) noexcept;
  void give_back(Exchange& exchange) noexcept;
  void add_active(Exchange& exchange) noexcept;
  void remove_active(Exchange& exchange) noexcept;
  // True if that is all there is to do.
  bool end_stream(Exchange& exchange, Result<Response>& result);

  ServerCore& core_;
  v0::detail::IoThread& io_;
  Descriptor listener_;
  int epoll_ = -1;  // owned by poller_
  std::optional<boost::asio::posix::basic_stream_descriptor<Loop>> poller_;
  std::unique_ptr<char[]> read_buffer_;
  std::unique_ptr<char[]> cipher_buffer_;  // with TLS
  TlsScratch tls_scratch_;
  ConnectionResources resources_;
  DateLine date_;
  RunnerPool runners_;
  TimePoint now_{};
  Session* sessions_ = nullptr;
  Exchange* starting_ = nullptr;  // its handler has neither ended nor suspended
  std::size_t next_thread_ = 0;   // of those that a unix socket's connections are dealt out to
  bool accept_paused_ = false;
  bool draining_ = false;
  Tick tick_{*this};
  Request start_{*this, &HttpThread::start};
  Request drain_{*this, &HttpThread::drain};
  Request cancel_{*this, &HttpThread::cancel};
  Request close_{*this, &HttpThread::close};

  mutable std::mutex active_mutex_;
  Exchange* active_ = nullptr;  // suspended handlers
  std::atomic<std::size_t> active_count_{0};
};

}  // namespace aiserve::inline v0::http::detail
