#include "http/client/client_socket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <string>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "core/operation.hpp"
#include "core/runtime_core.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

using v0::detail::IoThread;
using v0::detail::make_intrusive;
using v0::detail::Operation;
using v0::detail::TimerNode;

constexpr std::size_t kBuffer = 16 * 1024;
// Sent without a wait, before others and the answer have their turn.
constexpr std::size_t kTurn = 1024 * 1024;
// What a send costs at least, in bytes.
constexpr std::size_t kLeastSend = kBuffer;

bool would_block(int error) noexcept {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

// Ends the wait of an operation, and remembers that it did.
struct LateTimer : TimerNode {
  explicit LateTimer(Operation& awaited) : TimerNode(&LateTimer::fired), operation(awaited) {}
  static void fired(TimerNode* node) noexcept {
    auto* const self = static_cast<LateTimer*>(node);
    self->late = self->operation.settle(Operation::Outcome::completed);
  }
  Operation& operation;
  bool late = false;
};

socklen_t fill(sockaddr_storage& storage, const IpAddress& address, std::uint16_t port) noexcept {
  const std::span<const std::uint8_t, 16> bytes = address.bytes();
  if (address.is_v4()) {
    auto& to = reinterpret_cast<sockaddr_in&>(storage);
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    std::memcpy(&to.sin_addr, bytes.data() + 12, 4);
    return sizeof to;
  }
  auto& to = reinterpret_cast<sockaddr_in6&>(storage);
  to.sin6_family = AF_INET6;
  to.sin6_port = htons(port);
  std::memcpy(&to.sin6_addr, bytes.data(), bytes.size());
  return sizeof to;
}

Error broken(std::string why) {
  return Error(Errc::unavailable, "the connection to the service broke")
      .with_detail(std::move(why));
}

std::array<iovec, 2> pieces_of(const Outgoing& out) noexcept {
  return {iovec{const_cast<char*>(out.head.data()), out.head.size()},
          iovec{const_cast<char*>(out.body.data()), out.body.size()}};
}

ssize_t send_now(int socket, const Outgoing& out) noexcept {
  std::array<iovec, 2> pieces = pieces_of(out);
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = pieces.size();
  return ::sendmsg(socket, &message, MSG_NOSIGNAL);
}

Error cannot_connect(int error) {
  return Error(Errc::unavailable, "the service cannot be reached")
      .with_detail(std::string("connect: ") + std::strerror(error));
}

}  // namespace

bool IdleConnection::quiet() const noexcept {
  char byte = 0;
  return ::recv(socket.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && would_block(errno);
}

ClientSocket::ClientSocket(IoThread& home) : home_(home), stream_(home.executor()) {}

ClientSocket::ClientSocket(IoThread& home, IdleConnection connection) : ClientSocket(home) {
  boost::system::error_code failed;
  stream_.assign(connection.socket.get(), failed);
  // Without it every use of the connection fails, which closes it.
  if (!failed) connection.socket.release();
  tls_ = std::move(connection.tls);
}

IdleConnection ClientSocket::release() {
  // Tickets and the like are taken in on the way; an answer to nothing is not.
  char byte = 0;
  const bool surplus = tls_ != nullptr && tls_->read(&byte, 1) != 0;
  const bool open = tls_ == nullptr || tls_->state() == TlsFilter::State::open;
  if (!stream_.is_open() || surplus || !open) return {};
  return {Descriptor(stream_.release()), std::move(tls_)};
}

Async<void> ClientSocket::ready(const Context& ctx, Wanted what, const Phase& phase) {
  unbroken_ = 0;
  const auto operation = make_intrusive<Operation>();
  operation->bind(home_);
  LateTimer timer(*operation);
  const Deadline stalled = Deadline::after(home_.core().clock().now(), phase.stall);
  const Deadline until = phase.until.earlier(stalled);
  if (until.reachable()) home_.arm(timer, until.at());
  operation->watch(ctx);
  const auto settle = [operation](const boost::system::error_code&) {
    operation->settle(Operation::Outcome::completed);
  };
  if (what != Wanted::write) stream_.async_wait(Stream::wait_read, settle);
  if (what != Wanted::read) stream_.async_wait(Stream::wait_write, settle);
  co_await operation->wait();
  const bool completed = operation->outcome() == Operation::Outcome::completed;
  if (completed && !timer.late && what != Wanted::either) co_return success();
  boost::system::error_code ignored;
  stream_.cancel(ignored);
  if (!completed) co_return operation->error();
  if (!timer.late) co_return success();
  co_return Error(phase.code, phase.late);
}

Async<void> ClientSocket::connect(const Context& ctx, const IpAddress& address, std::uint16_t port,
                                  const Phase& phase) {
  const int family = address.is_v4() ? AF_INET : AF_INET6;
  Descriptor socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) co_return cannot_connect(errno);
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_storage to{};
  const socklen_t size = fill(to, address, port);
  const int result = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), size);
  if (result != 0 && errno != EINPROGRESS) co_return cannot_connect(errno);
  boost::system::error_code failed;
  stream_.assign(socket.get(), failed);
  if (failed) co_return cannot_connect(failed.value());
  const int fd = socket.release();
  if (result == 0) co_return success();
  const Result<void> waited = co_await ready(ctx, Wanted::write, phase);
  if (!waited.ok()) co_return waited.error();
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) co_return cannot_connect(error);
  co_return success();
}

Async<void> ClientSocket::handshake(const Context& ctx, std::unique_ptr<TlsFilter> tls,
                                    const Phase& phase) {
  tls_ = std::move(tls);
  tls_->shake_hands();
  while (tls_->state() == TlsFilter::State::handshake) {
    const Result<void> told = co_await flush(ctx, phase);
    if (!told.ok()) co_return told.error();
    const Result<std::size_t> got = co_await receive(ctx, phase);
    if (!got.ok()) co_return got.error();
    if (*got == 0) co_return broken("the connection ended in the TLS handshake");
    tls_->receive({buffer_.get(), *got});
    tls_->shake_hands();
  }
  const bool open = tls_->state() == TlsFilter::State::open;
  // The alert tells the server why; whether it arrives is its own business.
  const Result<void> told = co_await flush(ctx, phase);
  sent_ = false;  // nothing of the request yet
  if (open) co_return told;
  if (tls_->distrusted()) {
    co_return Error(Errc::unavailable, "the service's certificate is not trusted")
        .with_detail(std::string(tls_->failure()));
  }
  co_return broken(std::string(tls_->failure()));
}

Async<void> ClientSocket::flush(const Context& ctx, const Phase& phase) {
  Outgoing nothing;
  for (;;) {
    const Result<bool> all = send_some(nothing);
    if (!all.ok()) co_return all.error();
    if (*all) co_return success();
    const Result<void> waited = co_await ready(ctx, Wanted::write, phase);
    if (!waited.ok()) co_return waited.error();
  }
}

Async<Progress> ClientSocket::exchange(const Context& ctx, Outgoing& out, const Phase& phase) {
  const bool sending = !out.empty() || !flushed();
  for (;;) {
    Result<bool> all = true;
    if (!send_error_) all = send_some(out);
    if (!all.ok()) {
      send_error_ = all.error();
      out = Outgoing();
      all = true;
    }
    if (sending && *all && !send_error_) co_return Progress{.sent = true};
    const Result<std::optional<std::string_view>> got = receive_some();
    if (!got.ok()) co_return send_error_.value_or(got.error());
    if (*got) co_return Progress{.data = **got};
    const Result<void> alive = ctx.check(home_.core().clock().now());
    if (!alive.ok()) co_return alive.error();
    const Result<void> waited = co_await ready(ctx, *all ? Wanted::read : Wanted::either, phase);
    if (!waited.ok()) co_return waited.error();
  }
}

Result<bool> ClientSocket::send_some(Outgoing& out) {
  for (;;) {
    if (tls_ != nullptr && tls_->output().empty() && !out.empty()) {
      const std::array<iovec, 2> plain = pieces_of(out);
      const std::span<const iovec> left(plain);
      const std::size_t n = tls_->write(out.head.empty() ? left.last(1) : left);
      if (n == 0) return broken(std::string(tls_->failure()));
      out.take(n);
    }
    const Outgoing now = tls_ == nullptr ? out : Outgoing{tls_->output(), {}};
    if (now.empty()) return true;
    if (unbroken_ >= kTurn) return false;
    const ssize_t n = send_now(stream_.native_handle(), now);
    if (n < 0 && would_block(errno)) return false;
    if (n < 0) return broken(std::strerror(errno));
    sent_ = true;
    unbroken_ += std::max(static_cast<std::size_t>(n), kLeastSend);
    if (tls_ == nullptr) {
      out.take(static_cast<std::size_t>(n));
    } else {
      tls_->consume(static_cast<std::size_t>(n));
    }
  }
}

Result<std::optional<std::string_view>> ClientSocket::receive_some() {
  using Received = std::optional<std::string_view>;
  if (buffer_ == nullptr) buffer_ = std::make_unique<char[]>(kBuffer);
  if (tls_ != nullptr && plain_ == nullptr) plain_ = std::make_unique<char[]>(kBuffer);
  for (;;) {
    if (tls_ != nullptr) {
      const std::size_t n = tls_->read(plain_.get(), kBuffer);
      if (n != 0) return Received(std::string_view(plain_.get(), n));
      if (tls_->state() == TlsFilter::State::ended) return Received(std::string_view());
      if (tls_->state() == TlsFilter::State::failed) return broken(std::string(tls_->failure()));
    }
    const ssize_t n = ::recv(stream_.native_handle(), buffer_.get(), kBuffer, 0);
    if (n < 0 && would_block(errno)) return Received();
    if (n < 0) return broken(std::strerror(errno));
    const std::string_view got(buffer_.get(), static_cast<std::size_t>(n));
    if (tls_ == nullptr) return Received(got);
    if (got.empty()) return broken("the connection was cut");
    tls_->receive(got);
  }
}

Async<std::size_t> ClientSocket::receive(const Context& ctx, const Phase& phase) {
  if (buffer_ == nullptr) buffer_ = std::make_unique<char[]>(kBuffer);
  for (;;) {
    const ssize_t n = ::recv(stream_.native_handle(), buffer_.get(), kBuffer, 0);
    if (n >= 0) co_return static_cast<std::size_t>(n);
    if (!would_block(errno)) co_return broken(std::strerror(errno));
    const Result<void> waited = co_await ready(ctx, Wanted::read, phase);
    if (!waited.ok()) co_return waited.error();
  }
}

}  // namespace aiserve::inline v0::http::detail
