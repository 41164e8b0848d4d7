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

// Off the front of both.
void take(std::size_t n, std::string_view& head, std::string_view& body) noexcept {
  const std::size_t of_head = std::min(n, head.size());
  head.remove_prefix(of_head);
  body.remove_prefix(n - of_head);
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

Async<void> ClientSocket::ready(const Context& ctx, Stream::wait_type what, const Phase& phase) {
  const auto operation = make_intrusive<Operation>();
  operation->bind(home_);
  LateTimer timer(*operation);
  const Deadline stalled = Deadline::after(home_.core().clock().now(), phase.stall);
  const Deadline until = phase.until.earlier(stalled);
  if (until.reachable()) home_.arm(timer, until.at());
  operation->watch(ctx);
  stream_.async_wait(what, [operation](const boost::system::error_code&) {
    operation->settle(Operation::Outcome::completed);
  });
  co_await operation->wait();
  const bool completed = operation->outcome() == Operation::Outcome::completed;
  if (completed && !timer.late) co_return success();
  boost::system::error_code ignored;
  stream_.cancel(ignored);
  if (!completed) co_return operation->error();
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
  const Result<void> waited = co_await ready(ctx, Stream::wait_write, phase);
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
    const Result<void> told = co_await send_cipher(ctx, phase);
    if (!told.ok()) co_return told.error();
    const Result<std::size_t> got = co_await receive(ctx, phase);
    if (!got.ok()) co_return got.error();
    if (*got == 0) co_return broken("the connection ended in the TLS handshake");
    tls_->receive({buffer_.get(), *got});
    tls_->shake_hands();
  }
  const bool open = tls_->state() == TlsFilter::State::open;
  // The alert tells the server why; whether it arrives is its own business.
  const Result<void> told = co_await send_cipher(ctx, phase);
  sent_ = false;  // nothing of the request yet
  if (open) co_return told;
  if (tls_->distrusted()) {
    co_return Error(Errc::unavailable, "the service's certificate is not trusted")
        .with_detail(std::string(tls_->failure()));
  }
  co_return broken(std::string(tls_->failure()));
}

Async<void> ClientSocket::write(const Context& ctx, std::string_view head, std::string_view body,
                                const Phase& phase) {
  if (tls_ == nullptr) co_return co_await send_plain(ctx, head, body, phase);
  while (!head.empty() || !body.empty()) {
    const std::array<iovec, 2> pieces{iovec{const_cast<char*>(head.data()), head.size()},
                                      iovec{const_cast<char*>(body.data()), body.size()}};
    const std::span<const iovec> left(pieces);
    const std::size_t n = tls_->write(head.empty() ? left.last(1) : left);
    if (n == 0) co_return broken(std::string(tls_->failure()));
    take(n, head, body);
    const Result<void> told = co_await send_cipher(ctx, phase);
    if (!told.ok()) co_return told.error();
  }
  co_return success();
}

Async<void> ClientSocket::send_plain(const Context& ctx, std::string_view head,
                                     std::string_view body, const Phase& phase) {
  while (!head.empty() || !body.empty()) {
    std::array<iovec, 2> pieces{iovec{const_cast<char*>(head.data()), head.size()},
                                iovec{const_cast<char*>(body.data()), body.size()}};
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    const ssize_t n = ::sendmsg(stream_.native_handle(), &message, MSG_NOSIGNAL);
    if (n >= 0) {
      sent_ = true;
      take(static_cast<std::size_t>(n), head, body);
      continue;
    }
    if (!would_block(errno)) co_return broken(std::strerror(errno));
    const Result<void> waited = co_await ready(ctx, Stream::wait_write, phase);
    if (!waited.ok()) co_return waited.error();
  }
  co_return success();
}

Async<void> ClientSocket::send_cipher(const Context& ctx, const Phase& phase) {
  while (!tls_->output().empty()) {
    const std::string_view cipher = tls_->output();
    const ssize_t n = ::send(stream_.native_handle(), cipher.data(), cipher.size(), MSG_NOSIGNAL);
    if (n >= 0) {
      sent_ = true;
      tls_->consume(static_cast<std::size_t>(n));
      continue;
    }
    if (!would_block(errno)) co_return broken(std::strerror(errno));
    const Result<void> waited = co_await ready(ctx, Stream::wait_write, phase);
    if (!waited.ok()) co_return waited.error();
  }
  co_return success();
}

Async<std::string_view> ClientSocket::read(const Context& ctx, const Phase& phase) {
  for (;;) {
    if (tls_ != nullptr) {
      if (plain_ == nullptr) plain_ = std::make_unique<char[]>(kBuffer);
      const std::size_t n = tls_->read(plain_.get(), kBuffer);
      if (n != 0) co_return std::string_view(plain_.get(), n);
      if (tls_->state() == TlsFilter::State::ended) co_return std::string_view();
      if (tls_->state() == TlsFilter::State::failed) co_return broken(std::string(tls_->failure()));
      const Result<void> told = co_await send_cipher(ctx, phase);
      if (!told.ok()) co_return told.error();
    }
    const Result<std::size_t> got = co_await receive(ctx, phase);
    if (!got.ok()) co_return got.error();
    if (tls_ == nullptr) co_return std::string_view(buffer_.get(), *got);
    if (*got == 0) co_return broken("the connection was cut");
    tls_->receive({buffer_.get(), *got});
  }
}

Async<std::size_t> ClientSocket::receive(const Context& ctx, const Phase& phase) {
  if (buffer_ == nullptr) buffer_ = std::make_unique<char[]>(kBuffer);
  for (;;) {
    const ssize_t n = ::recv(stream_.native_handle(), buffer_.get(), kBuffer, 0);
    if (n >= 0) co_return static_cast<std::size_t>(n);
    if (!would_block(errno)) co_return broken(std::strerror(errno));
    const Result<void> waited = co_await ready(ctx, Stream::wait_read, phase);
    if (!waited.ok()) co_return waited.error();
  }
}

}  // namespace aiserve::inline v0::http::detail
