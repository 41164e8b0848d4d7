// ClientSocket: one connection of a client, with or without TLS, as coroutines that end when the
// peer is ready, a phase has taken too long, or the caller's Context ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "aiserve/core/async.hpp"
#include "core/io_thread.hpp"
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

  // All of both. sent() tells if any byte was taken.
  Async<void> write(const Context& ctx, std::string_view head, std::string_view body,
                    const Phase& phase);
  bool sent() const noexcept { return sent_; }
  // What has come, at least a byte; nothing at the end. There until the next call. A TLS connection
  // that ends without saying so has not ended but failed.
  Async<std::string_view> read(const Context& ctx, const Phase& phase);

  // After a complete answer: to be used again. Without a socket if there is more to read.
  IdleConnection release();

 private:
  using Stream = boost::asio::posix::basic_stream_descriptor<v0::detail::IoThread::Executor>;

  Async<void> ready(const Context& ctx, Stream::wait_type what, const Phase& phase);
  Async<void> send_plain(const Context& ctx, std::string_view head, std::string_view body,
                         const Phase& phase);
  Async<void> send_cipher(const Context& ctx, const Phase& phase);
  // Bytes into the buffer; 0 at the end.
  Async<std::size_t> receive(const Context& ctx, const Phase& phase);

  v0::detail::IoThread& home_;
  Stream stream_;
  std::unique_ptr<TlsFilter> tls_;
  std::unique_ptr<char[]> buffer_;  // what was received
  std::unique_ptr<char[]> plain_;   // what that says, with TLS
  bool sent_ = false;
};

}  // namespace aiserve::inline v0::http::detail
