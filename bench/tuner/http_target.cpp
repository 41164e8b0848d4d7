#include "tuner/http_target.hpp"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <deque>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tuner {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

struct FreeAddresses {
  void operator()(addrinfo* all) const noexcept { ::freeaddrinfo(all); }
};

int connect_to(const Url& url) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(url.host.c_str(), std::to_string(url.port).c_str(), &wanted, &found) != 0) {
    throw std::runtime_error("unknown host " + url.host);
  }
  const std::unique_ptr<addrinfo, FreeAddresses> addresses(found);
  const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
    const int error = errno;
    ::close(fd);
    errno = error;
    fail("cannot connect to " + url.host + ":" + std::to_string(url.port));
  }
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

struct Request {
  const std::string* text = nullptr;
  Target::Done done;
};

struct Connection {
  int fd = -1;
  bool busy = false;
  Request current{};
  std::size_t sent = 0;
  std::string received{};
};

}  // namespace

class HttpTarget::Loop {
 public:
  explicit Loop(HttpTargetOptions options)
      : options_(std::move(options)),
        poll_(::epoll_create1(EPOLL_CLOEXEC)),
        bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        connections_(options_.connections) {
    watch(bell_, nullptr, EPOLLIN);
    for (Connection& connection : connections_) {
      open(connection);
      free_.push_back(&connection);
    }
    thread_ = std::thread([this] { run(); });
  }

  ~Loop() {
    stopping_.store(true);
    ring();
    thread_.join();
    for (const Connection& connection : connections_) {
      if (connection.fd >= 0) ::close(connection.fd);
    }
    ::close(bell_);
    ::close(poll_);
  }

  void push(const Call& call, Target::Done done) {
    const auto& requests = options_.requests[call.tenant];
    {
      const std::scoped_lock lock(mutex_);
      incoming_.push_back({&requests[call.index % requests.size()], std::move(done)});
    }
    ring();
  }

 private:
  void ring() noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(bell_, &one, sizeof one);
  }

  void watch(int fd, Connection* connection, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = connection;
    if (::epoll_ctl(poll_, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
  }

  void open(Connection& connection) {
    connection.fd = connect_to(options_.url);
    watch(connection.fd, &connection, EPOLLIN | EPOLLOUT | EPOLLET);
    connection.received.clear();
  }

  void run() {
    epoll_event events[256];
    while (!stopping_.load()) {
      const int ready = ::epoll_wait(poll_, events, 256, -1);
      for (int i = 0; i < ready; ++i) {
        if (events[i].data.ptr == nullptr) {
          take_in();
        } else {
          serve(*static_cast<Connection*>(events[i].data.ptr), events[i].events);
        }
      }
    }
  }

  void take_in() {
    std::uint64_t rings = 0;
    [[maybe_unused]] const ssize_t got = ::read(bell_, &rings, sizeof rings);
    {
      const std::scoped_lock lock(mutex_);
      for (Request& request : incoming_) waiting_.push_back(std::move(request));
      incoming_.clear();
    }
    start_waiting();
  }

  void start_waiting() {
    while (!waiting_.empty() && !free_.empty()) {
      Connection& connection = *free_.back();
      Request request = std::move(waiting_.front());
      waiting_.pop_front();
      if (connection.fd < 0) reopen(connection);
      if (connection.fd < 0) {
        request.done({Outcome::failed, 0, false});
        continue;
      }
      free_.pop_back();
      connection.busy = true;
      connection.sent = 0;
      connection.current = std::move(request);
      write_rest(connection);
    }
  }

  void serve(Connection& connection, std::uint32_t events) {
    if ((events & EPOLLOUT) != 0) write_rest(connection);
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) receive(connection);
  }

  void write_rest(Connection& connection) {
    if (!connection.busy) return;
    const std::string& text = *connection.current.text;
    while (connection.sent < text.size()) {
      const ssize_t size = ::send(connection.fd, text.data() + connection.sent,
                                  text.size() - connection.sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (size < 0) return;  // full, or gone: then receive() will hear of it
      connection.sent += static_cast<std::size_t>(size);
    }
  }

  void receive(Connection& connection) {
    char buffer[16'384];
    bool ended = false;
    while (!ended) {
      const ssize_t size = ::recv(connection.fd, buffer, sizeof buffer, MSG_DONTWAIT);
      if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
      ended = size <= 0;
      if (!ended) connection.received.append(buffer, static_cast<std::size_t>(size));
    }
    const bool reopened = connection.busy && look_at(connection, ended);
    if (ended && !reopened) lost(connection);
  }

  // True if the connection is a new one now.
  bool look_at(Connection& connection, bool ended) {
    try {
      const ResponseText response = read_response(connection.received);
      if (response.size == 0) return false;
      const Answer answer = tuner::answer_of(response);
      const bool over = ended || !response.keeps_open;
      if (over) reopen(connection);
      connection.received.clear();
      finish(connection, answer);
      return over;
    } catch (const std::runtime_error&) {
      lost(connection);
      return true;
    }
  }

  // The peer closed, or speaks nonsense: what was asked has failed.
  void lost(Connection& connection) {
    reopen(connection);
    if (connection.busy) finish(connection, {Outcome::failed, 0, false});
  }

  void reopen(Connection& connection) noexcept {
    if (connection.fd >= 0) ::close(connection.fd);
    try {
      open(connection);
    } catch (const std::runtime_error&) {
      connection.fd = -1;  // tried again with the next request
    }
  }

  void finish(Connection& connection, const Answer& answer) {
    connection.busy = false;
    const Target::Done done = std::move(connection.current.done);
    free_.push_back(&connection);
    done(answer);
    start_waiting();
  }

  HttpTargetOptions options_;
  int poll_;
  int bell_;
  std::vector<Connection> connections_;
  std::vector<Connection*> free_;  // the last used is the warmest
  std::deque<Request> waiting_;
  std::mutex mutex_;
  std::vector<Request> incoming_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

HttpTarget::HttpTarget(HttpTargetOptions options)
    : loop_(std::make_unique<Loop>(std::move(options))) {
  const auto first = std::make_shared<std::promise<Answer>>();
  send({}, [first](const Answer& answer) { first->set_value(answer); });
  auto answer = first->get_future();
  if (answer.wait_for(std::chrono::seconds(10)) != std::future_status::ready) {
    throw std::runtime_error("the first request was not answered within 10 s");
  }
  if (answer.get().outcome != Outcome::ok) {
    throw std::runtime_error("the first request was not answered with 2xx: is the body right?");
  }
}

HttpTarget::~HttpTarget() = default;

void HttpTarget::send(const Call& call, Done done) { loop_->push(call, std::move(done)); }

}  // namespace tuner
