// ClientSocket: one connection of a client, with or without TLS, as coroutines that end when the
// peer is ready, a phase has taken too long, or the caller's Context ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "aiserve/core/async.hpp"
#include "core/io_thread.hpp"
#include "http/client/request_sender.hpp"
#include "http/ip_address.hpp"
#include "http/listener.hpp"
#include "http/tls_filter.hpp"

namespace aiserve::inline v0::http::detail {

// How long a step may take, and what to say if it takes longer.
struct Phase {
  Deadline until{};                  // of the step
  Duration stall = Duration::max();  // of every wait within it
  Errc code = Errc::deadline_exceeded;
  const char* late = "the service did not answer in time";  // a literal
};

// What is left of a connection that nobody uses: it holds nothing of an event loop.
struct IdleConnection {
  Descriptor socket;
  std::unique_ptr<TlsFilter> tls;

  // Nothing has come, and the peer is still there.
  bool quiet() const noexcept;
};

// What a connection has got on with.
struct Progress {
  bool sent = false;  // all that there was to send
  // Else what has come; nothing at the end.
  std::string_view data{};
};

class ClientSocket {
 public:
  explicit ClientSocket(v0::detail::IoThread& home);
  ClientSocket(v0::detail::IoThread& home, IdleConnection connection);
  ClientSocket(const ClientSocket&) = delete;
  ClientSocket& operator=(const ClientSocket&) = delete;

  // Errors: unavailable, and the phase's.
  Async<void> connect(const Context& ctx, const IpAddress& address, std::uint16_t port,
                      const Phase& phase);
  Async<void> handshake(const Context& ctx, std::unique_ptr<TlsFilter> tls, const Phase& phase);
  // The handshake has resumed an earlier session.
  bool resumed() const noexcept { return tls_ != nullptr && tls_->resumed(); }

  // Sends and receives, whatever is possible first. Ends when all of `out` is sent, if there was
  // something to send, or with what has come: there until the next call. A peer that takes no more
  // may still have answered: then what is left is dropped, and send_error() says why. A TLS
  // connection that ends without saying so has not ended but failed.
  Async<Progress> exchange(const Context& ctx, Outgoing& out, const Phase& phase);
  // What has come, without waiting: there until the next call. Nothing: nothing has come.
  Result<std::optional<std::string_view>> poll() { return receive_some(); }
  // Nothing that was taken off an Outgoing is still here.
  bool flushed() const noexcept { return tls_ == nullptr || tls_->output().empty(); }
  // A byte was taken.
  bool sent() const noexcept { return sent_; }
  const std::optional<Error>& send_error() const noexcept { return send_error_; }

  // After a complete answer: to be used again. Without a socket if there is more to read.
  IdleConnection release();

 private:
  using Stream = boost::asio::posix::basic_stream_descriptor<v0::detail::IoThread::Executor>;

  enum class Wanted : std::uint8_t { read, write, either };
  Async<void> ready(const Context& ctx, Wanted what, const Phase& phase);
  // Sends all that the filter holds.
  Async<void> flush(const Context& ctx, const Phase& phase);
  // Without waiting. True: all was sent. A peer that takes it as fast as we send it is left for a
  // turn of the loop now and then.
  Result<bool> send_some(Outgoing& out);
  // Without waiting. Nothing: nothing has come.
  Result<std::optional<std::string_view>> receive_some();
  // Ciphertext into the buffer; 0 at the end.
  Async<std::size_t> receive(const Context& ctx, const Phase& phase);

  v0::detail::IoThread& home_;
  Stream stream_;
  std::unique_ptr<TlsFilter> tls_;
  std::unique_ptr<char[]> buffer_;  // what was received
  std::unique_ptr<char[]> plain_;   // what that says, with TLS
  bool sent_ = false;
  std::size_t unbroken_ = 0;  // bytes sent since the last wait
  std::optional<Error> send_error_;
};

}  // namespace aiserve::inline v0::http::detail
