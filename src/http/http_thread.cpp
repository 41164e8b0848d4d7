#include "http/http_thread.hpp"

#include <cerrno>
#include <cstring>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "http/event_queue.hpp"
#include "http/response_body.hpp"
#include "http/session.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

constexpr std::chrono::milliseconds kTick{250};
constexpr int kEventsPerTurn = 128;
constexpr int kRoundsPerTurn = 8;
constexpr int kAcceptsPerTurn = 32;

bool no_more_descriptors(int error) noexcept {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

// On its way to the thread that will serve it.
struct HttpThread::Arrival : v0::detail::InboxNode {
  Arrival(HttpThread& its_thread, Descriptor its_socket, std::shared_ptr<Peer> its_peer,
          PeerCounts::Pass its_place) noexcept
      : InboxNode(&Arrival::run),
        thread(its_thread),
        socket(std::move(its_socket)),
        peer(std::move(its_peer)),
        place(std::move(its_place)) {}
  static void run(InboxNode* node) noexcept {
    const std::unique_ptr<Arrival> self(static_cast<Arrival*>(node));
    self->thread.clock_now();
    self->thread.adopt(std::move(self->socket), std::move(self->peer), std::move(self->place));
  }

  HttpThread& thread;
  Descriptor socket;
  std::shared_ptr<Peer> peer;
  PeerCounts::Pass place;
};

HttpThread::HttpThread(ServerCore& core, v0::detail::IoThread& io, Descriptor listener)
    : core_(core),
      io_(io),
      listener_(std::move(listener)),
      read_buffer_(new char[kReadBuffer]),
      cipher_buffer_(core.tls == nullptr ? nullptr : new char[kCipherBuffer]),
      runners_(*this) {}

// The loop has ended, and with it every frame that referred to what is deleted here.
HttpThread::~HttpThread() {
  while (active_ != nullptr) {
    Exchange* const exchange = active_;
    active_ = exchange->next_active;
    resources_.exchanges.release(*exchange);
  }
}

template <class F>
void HttpThread::for_each_session(F&& visit) {
  for (Session* session = sessions_; session != nullptr;) {
    Session* const next = session->next;  // `session` may go
    visit(*session);
    session = next;
  }
}

void HttpThread::start() {
  clock_now();
  renew_date();
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) {
    core_.runtime.core().fail(Error(Errc::unavailable, "http: cannot create an epoll set")
                                  .with_detail(std::strerror(errno)));
    return;
  }
  poller_.emplace(io_.executor(), epoll_);
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  if (listener_) ::epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_.get(), &event);
  io_.arm(tick_, now_ + kTick);
  wait_for_events();
}

void HttpThread::wait_for_events() {
  poller_->async_wait(boost::asio::posix::descriptor_base::wait_read,
                      [this](const boost::system::error_code& error) {
                        if (error || !poller_) return;
                        on_ready();
                        if (poller_) wait_for_events();
                      });
}

// What has come meanwhile is served before the loop waits again: arming its wait costs as much as
// the answer to a small message.
void HttpThread::on_ready() {
  for (int round = 0; round < kRoundsPerTurn && poller_ && serve_ready(); ++round) {
  }
}

// False if nothing was ready.
bool HttpThread::serve_ready() {
  std::array<epoll_event, kEventsPerTurn> events;
  const int ready = ::epoll_wait(epoll_, events.data(), kEventsPerTurn, 0);
  if (ready <= 0) return false;
  clock_now();
  renew_date();
  for (int i = 0; i < ready; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.ptr == nullptr) {
      accept();
    } else {
      static_cast<Session*>(event.data.ptr)->on_event(event.events);
    }
  }
  return true;
}

void HttpThread::renew_date() noexcept {
  resources_.date_line = date_.at(core_.runtime.clock().wall_now());
}

void HttpThread::accept() noexcept {
  try {
    for (int i = 0; i < kAcceptsPerTurn && listener_ && accept_one(); ++i) {
    }
  } catch (const std::exception& error) {
    core_.telemetry.log().error("http: cannot accept",
                                {{"server", core_.options.name}, {"reason", error.what()}});
    pause_accept(true);
  }
}

bool HttpThread::accept_one() {
  if (core_.connections.load(std::memory_order_relaxed) >= core_.options.max_connections) {
    core_.telemetry.log().warn(
        "http: the limit of connections is reached",
        {{"server", core_.options.name}, {"max_connections", core_.options.max_connections}});
    core_.paused_at_limit.inc();
    pause_accept(true);
    return false;
  }
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  Descriptor socket(::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&peer), &size,
                              SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!socket) {
    if (no_more_descriptors(errno)) {
      core_.telemetry.log().error("http: cannot accept", {{"server", core_.options.name},
                                                          {"reason", std::strerror(errno)}});
      core_.paused_without_descriptors.inc();
      pause_accept(true);
      return false;
    }
    return errno == ECONNABORTED || errno == EINTR;
  }
  core_.accepted.inc();
  auto from = std::make_shared<Peer>(core_.forwarding,
                                     IpAddress::of(reinterpret_cast<const sockaddr&>(peer)));
  const int on = 1;
  if (from->ip) ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  PeerCounts::Pass place;
  if (from->ip && !from->trusted) {
    auto found = core_.peers.enter(*from->ip);
    if (!found) {
      core_.refusals.count(Refusals::Cause::peer_limit);
      return true;
    }
    place = std::move(*found);
  }
  core_.connections.fetch_add(1, std::memory_order_relaxed);
  HttpThread& home = thread_for_next();
  if (&home == this) {
    adopt(std::move(socket), std::move(from), std::move(place));
  } else {
    auto arrival =
        std::make_unique<Arrival>(home, std::move(socket), std::move(from), std::move(place));
    home.io_.push(arrival.release());
  }
  return true;
}

// TCP connections are dealt out by the kernel, one listener a thread; a unix socket has only one.
HttpThread& HttpThread::thread_for_next() noexcept {
  if (core_.options.unix_path.empty()) return *this;
  next_thread_ = (next_thread_ + 1) % core_.threads.size();
  return *core_.threads[next_thread_];
}

void HttpThread::request_connection(Descriptor socket) {
  auto peer = std::make_shared<Peer>(core_.forwarding, std::nullopt);
  auto arrival =
      std::make_unique<Arrival>(*this, std::move(socket), std::move(peer), PeerCounts::Pass());
  core_.connections.fetch_add(1, std::memory_order_relaxed);
  io_.push(arrival.release());
}

void HttpThread::adopt(Descriptor socket, std::shared_ptr<Peer> peer,
                       PeerCounts::Pass place) noexcept {
  Session* session = nullptr;
  try {
    session = new Session(*this, std::move(socket), std::move(peer), std::move(place));
  } catch (const std::exception& error) {
    core_.telemetry.log().error("http: cannot serve a connection",
                                {{"server", core_.options.name}, {"reason", error.what()}});
    core_.connections.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  session->next = sessions_;
  if (sessions_ != nullptr) sessions_->previous = session;
  sessions_ = session;
  if (draining_) session->drain();
}

// A listener that is ready but cannot be served would wake us without end; the tick looks again.
void HttpThread::pause_accept(bool pause) noexcept {
  if (accept_paused_ == pause || !listener_) return;
  accept_paused_ = pause;
  epoll_event event{.events = pause ? 0u : static_cast<std::uint32_t>(EPOLLIN),
                    .data = {.ptr = nullptr}};
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, listener_.get(), &event);
}

void HttpThread::watch(Session& session, int fd, std::uint32_t events) noexcept {
  epoll_event event{.events = events, .data = {.ptr = &session}};
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

void HttpThread::rewatch(Session& session, int fd, std::uint32_t events) noexcept {
  epoll_event event{.events = events, .data = {.ptr = &session}};
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event);
}

void HttpThread::unwatch(int fd) noexcept { ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr); }

void HttpThread::destroy(Session& session) noexcept {
  if (session.previous != nullptr) session.previous->next = session.next;
  if (session.next != nullptr) session.next->previous = session.previous;
  if (sessions_ == &session) sessions_ = session.next;
  delete &session;
  core_.connections.fetch_sub(1, std::memory_order_relaxed);
}

void HttpThread::tick() {
  clock_now();
  renew_date();
  for_each_session([](Session& session) { session.tick(); });
  pause_accept(false);
  if (core_.tls != nullptr && io_.index() == 0) core_.tls->tick(now_);
  io_.arm(tick_, now_ + kTick);
}

void HttpThread::drain() {
  clock_now();
  draining_ = true;
  close_listener();
  for_each_session([](Session& session) { session.drain(); });
}

void HttpThread::cancel() {
  for (Exchange* exchange = active_; exchange != nullptr; exchange = exchange->next_active) {
    exchange->context->cancel(CancelReason::shutdown);
  }
}

void HttpThread::close_listener() noexcept {
  if (listener_) unwatch(listener_.get());
  listener_.close();
}

void HttpThread::close() {
  clock_now();
  close_listener();
  for_each_session([](Session& session) { session.close(CancelReason::shutdown); });
  runners_.stop();
  io_.disarm(tick_);
  poller_.reset();
}

// --- suspended requests

void HttpThread::add_active(Exchange& exchange) noexcept {
  const std::scoped_lock lock(active_mutex_);
  exchange.previous_active = nullptr;
  exchange.next_active = active_;
  if (active_ != nullptr) active_->previous_active = &exchange;
  active_ = &exchange;
  active_count_.fetch_add(1, std::memory_order_relaxed);
}

void HttpThread::remove_active(Exchange& exchange) noexcept {
  const std::scoped_lock lock(active_mutex_);
  if (exchange.previous_active == nullptr && active_ != &exchange) return;
  if (exchange.previous_active != nullptr)
    exchange.previous_active->next_active = exchange.next_active;
  if (exchange.next_active != nullptr)
    exchange.next_active->previous_active = exchange.previous_active;
  if (active_ == &exchange) active_ = exchange.next_active;
  exchange.previous_active = exchange.next_active = nullptr;
  active_count_.fetch_sub(1, std::memory_order_relaxed);
}

std::vector<HttpThread::InFlight> HttpThread::in_flight(std::size_t at_most) const {
  const TimePoint now = core_.runtime.clock().now();
  std::vector<InFlight> list;
  const std::scoped_lock lock(active_mutex_);
  for (Exchange* exchange = active_; exchange != nullptr && list.size() < at_most;
       exchange = exchange->next_active) {
    list.push_back(
        {exchange->context->request_id(), exchange->route->title, now - exchange->began});
  }
  return list;
}

void HttpThread::run_handler(Exchange& exchange) {
  starting_ = &exchange;
  runners_.start(exchange);
  // Only what suspended is in flight beyond this turn; what has ended may be gone.
  if (std::exchange(starting_, nullptr) != &exchange) return;
  exchange.pass = exchange.session->lend_pass();
  add_active(exchange);
}

void HttpThread::leave_active(Exchange& exchange) noexcept {
  if (starting_ == &exchange) {
    starting_ = nullptr;
  } else {
    remove_active(exchange);
  }
}

// What let its handler in.
void HttpThread::give_back(Exchange& exchange) noexcept {
  const bool attached = exchange.connection != nullptr && exchange.session != nullptr;
  if (attached) {
    exchange.session->take_back(std::move(exchange.pass), std::move(exchange.server_place));
  }
  exchange.pass = Gate::Pass();
  exchange.server_place = Places::Pass();
  exchange.route_place = Places::Pass();
  exchange.tenant_place = TenantPlaces::Pass();
}

void HttpThread::handler_not_started(Exchange& exchange) noexcept {
  exchange.handler_running = false;
  give_back(exchange);
  if (exchange.connection == nullptr) resources_.exchanges.release(exchange);
}

void HttpThread::check_ended(Exchange& exchange, Context&& own,
                             Result<std::optional<Response>>&& answer) noexcept {
  leave_active(exchange);
  exchange.context = std::move(own);
  exchange.handler_running = false;
  give_back(exchange);
  if (exchange.connection == nullptr) {
    resources_.exchanges.release(exchange);
  } else {
    exchange.session->go_on(exchange, std::move(answer));
  }
}

void HttpThread::handler_ended(Exchange& exchange, Result<Response>&& result) noexcept {
  leave_active(exchange);
  const bool streamed = end_stream(exchange, result);
  exchange.handler_running = false;
  give_back(exchange);
  if (exchange.socket != nullptr) return socket_handler_ended(exchange, result);
  if (exchange.connection == nullptr) {
    resources_.exchanges.release(exchange);
  } else if (!streamed) {
    exchange.session->respond_later(exchange, std::move(result));
  }
}

bool HttpThread::end_stream(Exchange& exchange, Result<Response>& result) {
  if (exchange.writer != nullptr) {
    if (!exchange.writer->begun() && result.ok()) {
      result = exchange.writer->unsent(exchange.data.head.method == Method::head);
    }
    if (!exchange.writer->begun()) return false;
    if (result.ok()) {
      if (Result<void> ended = exchange.writer->finish(); !ended) result = std::move(ended).error();
    } else {
      exchange.writer->fail();
    }
  } else if (exchange.events != nullptr) {
    exchange.events->close();
  } else {
    return false;
  }
  const bool expired = exchange.route->timeout == Duration::zero() &&
                       exchange.context->deadline().expired(clock_now());
  if (!result.ok() && !expired && result.error().code() != Errc::cancelled) {
    const std::string text = result.error().to_string();
    core_.telemetry.log().warn(*exchange.context, "a stream ended with an error",
                               {{"route", exchange.route->pattern}, {"error", text}});
  }
  return true;
}

}  // namespace aiserve::inline v0::http::detail
