#include "http/session.hpp"

#include <cerrno>

#include <sys/epoll.h>
#include <sys/socket.h>

#include "http/event_queue.hpp"
#include "http/http_thread.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

constexpr std::size_t kPieces = 16;
constexpr int kReadsPerTurn = 8;

bool would_block(int error) noexcept {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

Session::Session(HttpThread& thread, Descriptor socket, std::shared_ptr<Peer> peer,
                 PeerCounts::Pass place)
    : FlushNode(&Session::on_flush),
      thread_(thread),
      core_(thread.core()),
      socket_(std::move(socket)),
      peer_(std::move(peer)),
      place_(std::move(place)),
      connection_(*this, core_.limits, thread.resources(), thread.now()),
      accepted_(thread.now()),
      events_(EPOLLIN | EPOLLRDHUP) {
  if (core_.options.proxy_protocol && peer_->trusted) proxy_ = std::make_unique<ProxyHeader>();
  if (core_.tls != nullptr) start_tls();
  thread_.watch(*this, socket_.get(), events_);
}

Session::~Session() {
  tell_if_slow(false);
  connection_.abort(CancelReason::client_gone);
  if (link_ != nullptr) link_->detach();
  thread_.io().forget(*this);
  thread_.unwatch(socket_.get());
}

template <class F>
void Session::guarded(F&& work) noexcept {
  in_turn_ = true;
  try {
    work();
    write();
  } catch (...) {
    const std::string reason = error_from_current_exception().to_string();
    core_.telemetry.log().error("http: a connection failed", {{"reason", reason}});
    connection_.abort(CancelReason::client_gone);
  }
  settle();
}

void Session::on_event(std::uint32_t events) noexcept {
  guarded([&] {
    if ((events & EPOLLOUT) != 0) write_blocked_ = false;
    const bool gone = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    if (gone && !connection_.wants_read()) {
      connection_.end_of_input(thread_.now());
      input_ended_ = true;
    } else if (gone || (events & EPOLLIN) != 0) {
      read();
    }
  });
}

void Session::read() {
  for (int i = 0; i < kReadsPerTurn && connection_.wants_read() && read_once(); ++i) {
  }
}

// True if there may be more to read at once.
bool Session::read_once() {
  if (proxy_ != nullptr) return read_proxy();
  if (tls_ != nullptr) return read_tls();
  const std::span<std::byte> body = connection_.body_target();
  const std::span<char> shared = thread_.read_buffer();
  void* const target = body.empty() ? static_cast<void*>(shared.data()) : body.data();
  const std::size_t room = body.empty() ? shared.size() : body.size();
  const ssize_t n = ::recv(socket_.get(), target, room, 0);
  if (n <= 0) return nothing_received(n);
  const auto size = static_cast<std::size_t>(n);
  if (body.empty()) {
    connection_.feed({shared.data(), size}, thread_.now());
  } else {
    connection_.body_received(size, thread_.now());
  }
  write();
  return size == room;
}

bool Session::read_proxy() {
  const std::span<std::uint8_t> target = proxy_->target();
  const ssize_t n = ::recv(socket_.get(), target.data(), target.size(), 0);
  if (n <= 0) return nothing_received(n);
  switch (proxy_->received(static_cast<std::size_t>(n))) {
    case ProxyHeader::Outcome::more:
      return true;
    case ProxyHeader::Outcome::failed:
      return refuse_proxy(Refusals::Cause::proxy_header, proxy_->reason());
    case ProxyHeader::Outcome::done:
      break;
  }
  if (const auto client = proxy_->client()) {
    auto place = core_.peers.enter(*client);
    if (!place) return refuse_proxy(Refusals::Cause::peer_limit, "too many connections of a peer");
    place_ = std::move(*place);
    peer_->speaks_for(*client);
  }
  proxy_.reset();
  return true;
}

bool Session::refuse_proxy(Refusals::Cause cause, std::string_view reason) {
  core_.refusals.count(cause);
  core_.telemetry.log().debug("http: a connection is refused",
                              {{"peer", peer_->address}, {"reason", reason}});
  connection_.abort(CancelReason::client_gone);
  return false;
}

bool Session::nothing_received(ssize_t n) {
  if (n < 0 && would_block(errno)) return false;
  input_ended_ = true;
  if (n == 0) {
    connection_.end_of_input(thread_.now());
  } else {
    connection_.abort(CancelReason::client_gone);
  }
  return false;
}

void Session::write() {
  while (!write_blocked_ && connection_.phase() != Phase::closed && wants_write() && write_once()) {
    if (!wants_write()) tell_if_slow(true);
  }
  if (connection_.phase() == Phase::open && !wants_write()) tell_if_slow(true);
}

void Session::tell_if_slow(bool sent) noexcept {
  if (!written_) return;
  const Duration limit = core_.options.slow_request;
  if (written_->took(limit, thread_.now())) {
    written_->tell(core_.telemetry, limit, thread_.now(), sent);
  }
  written_.reset();
}

bool Session::wants_write() const noexcept {
  return connection_.wants_write() || (tls_ != nullptr && !tls_->output().empty());
}

bool Session::write_once() {
  if (tls_ != nullptr) return write_tls();
  std::array<iovec, kPieces> pieces;
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = connection_.gather(pieces);
  const ssize_t n = message.msg_iovlen == 1
                        ? ::send(socket_.get(), pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL)
                        : ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
  if (n < 0) return nothing_sent();
  connection_.sent(static_cast<std::size_t>(n), thread_.now());
  return true;
}

bool Session::nothing_sent() {
  if (would_block(errno)) {
    write_blocked_ = true;
  } else {
    connection_.abort(CancelReason::client_gone);
  }
  return false;
}

std::uint32_t Session::wanted_events() const noexcept {
  std::uint32_t events = 0;
  if (!input_ended_) events |= EPOLLRDHUP;
  if (!input_ended_ && connection_.wants_read()) events |= EPOLLIN;
  if (write_blocked_) events |= EPOLLOUT;
  return events;
}

void Session::reset_on_close() noexcept {
  const linger now{1, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

// Follows the connection's wishes; destroys the session when it is over.
void Session::settle() noexcept {
  if (connection_.phase() != Phase::open && !send_shut_ && !connection_.must_reset()) end_tls();
  if (connection_.phase() == Phase::lingering && !std::exchange(send_shut_, true)) {
    ::shutdown(socket_.get(), SHUT_WR);
    if (input_ended_) connection_.end_of_input(thread_.now());
  }
  if (connection_.phase() == Phase::closed) {
    if (connection_.must_reset()) reset_on_close();
    return thread_.destroy(*this);
  }
  spare_place_ = Places::Pass();
  if (connection_.busy() != static_cast<bool>(pass_)) {
    pass_ = connection_.busy() ? core_.gate.enter() : Gate::Pass();
  }
  if (const std::uint32_t wanted = wanted_events(); wanted != events_) {
    events_ = wanted;
    thread_.rewatch(*this, socket_.get(), events_);
  }
  in_turn_ = false;
}

Gate::Pass Session::lend_pass() noexcept {
  Gate::Pass pass = core_.gate.enter();
  return pass ? std::move(pass) : std::move(pass_);
}

void Session::on_flush(FlushNode* node) noexcept {
  static_cast<Session*>(node)->guarded([] {});
}

void Session::tick() noexcept {
  guarded([this] {
    if (tls_ != nullptr) check_handshake();
    connection_.tick(thread_.now());
  });
}

// A request that is on its way is still answered; only then an idle connection is one that ends.
void Session::drain() noexcept {
  guarded([this] {
    if (connection_.wants_read()) read();
    connection_.for_each([](Exchange& exchange) {
      if (exchange.state != Exchange::State::streaming || exchange.events == nullptr) return;
      exchange.context->cancel(CancelReason::shutdown);
      exchange.events->close();
    });
    connection_.drain(thread_.now());
  });
}

void Session::close(CancelReason reason) noexcept {
  guarded([&] { connection_.abort(reason); });
}

void Session::respond_later(Exchange& exchange, Result<Response>&& result) {
  if (exchange.answered) return;  // the deadline was faster, or the body was bad
  respond(exchange, std::move(result));
  if (!in_turn_) thread_.io().flush_later(*this);
}

const std::shared_ptr<SessionLink>& Session::link() {
  if (link_ == nullptr) link_ = std::make_shared<SessionLink>(thread_.io(), *this);
  return link_;
}

void Session::stream_ready() noexcept {
  guarded([this] { connection_.stream_ready(thread_.clock_now()); });
}

}  // namespace aiserve::inline v0::http::detail
