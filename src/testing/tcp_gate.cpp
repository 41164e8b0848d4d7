#include "aiserve/testing/tcp_gate.hpp"

#include <algorithm>
#include <condition_variable>
#include <limits>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aiserve/core/error.hpp"
#include "core/thread_name.hpp"
#include "testing/gate_pipe.hpp"

namespace aiserve::inline v0::testing {
namespace {

using detail::GatePipe;
using detail::GateSocket;

std::uint64_t checked(const char* what, std::uint64_t value, std::uint64_t low,
                      std::uint64_t high) {
  if (value >= low && value <= high) return value;
  throw ConfigError("gate: " + std::string(what) + " is " + std::to_string(value) + ", must be " +
                    std::to_string(low) + " to " + std::to_string(high));
}

sockaddr_in loopback(std::uint16_t port) noexcept {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

GateSocket open_socket() {
  return GateSocket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

struct Modes {
  GateMode to_target = GateMode::pass();
  GateMode to_client = GateMode::pass();
};

// What the thread is to do.
struct Wish {
  std::uint64_t number = 0;
  Modes modes;
  bool reset = false;
  bool stop = false;
};

// A connection: both of its directions.
struct Link {
  Link(GateSocket its_client, GateSocket its_target, std::uint64_t number, GateCounters& counters)
      : client(std::move(its_client)),
        target(std::move(its_target)),
        up(client, target, 2 * number, counters.to_target),
        down(target, client, 2 * number + 1, counters.to_client) {
    client.send_at_once();
    target.send_at_once();
  }

  // True when the connection is over.
  bool turn(const Modes& modes, TimePoint now) {
    auto verdict = up.turn(modes.to_target, now);
    if (verdict == GatePipe::Verdict::go_on) verdict = down.turn(modes.to_client, now);
    if (verdict == GatePipe::Verdict::reset) reset();
    return verdict != GatePipe::Verdict::go_on ||
           (up.over(modes.to_target) && down.over(modes.to_client));
  }
  void reset() noexcept {
    client.reset();
    target.reset();
  }

  GateSocket client;
  GateSocket target;
  GatePipe up;
  GatePipe down;
};

pollfd waiting_for(const GateSocket& socket, bool read, bool write) noexcept {
  const int events = (read ? POLLIN : 0) | (write ? POLLOUT : 0);
  return {events == 0 ? -1 : socket.fd(), static_cast<short>(events), 0};
}

}  // namespace

GateMode GateMode::delay(std::chrono::milliseconds by) {
  const auto ms = static_cast<std::uint64_t>(by.count());
  return {Kind::delay, checked("the delay in ms", ms, 0, 3'600'000), 0};
}

GateMode GateMode::slice(std::size_t bytes) {
  return {Kind::slice, checked("the slice", bytes, 1, 1 << 30), 0};
}

GateMode GateMode::corrupt(std::uint64_t seed, std::size_t one_in) {
  return {Kind::corrupt, checked("one_in", one_in, 1, 1 << 30), seed};
}

GateMode GateMode::limit(std::size_t bytes_per_second) {
  return {Kind::limit, checked("the limit", bytes_per_second, 1, 1ULL << 40), 0};
}

class TcpGate::Impl {
 public:
  explicit Impl(std::uint16_t target_port);
  ~Impl();

  // Returns when the thread goes by it.
  template <class F>
  void change(F&& what) {
    std::unique_lock lock(mutex_);
    what(wish_);
    const std::uint64_t mine = ++wish_.number;
    wake();
    changed_.wait(lock, [&] { return done_ >= mine; });
  }
  GateCounters counters() const {
    const std::scoped_lock lock(mutex_);
    return published_;
  }
  bool wait_until(const std::function<bool(const GateCounters&)>& reached,
                  std::chrono::milliseconds patience) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return reached(published_); });
  }

  std::uint16_t port = 0;

 private:
  void wake() const noexcept;
  void run();
  void wait(const Modes& modes);
  void accept();
  void turn(const Modes& modes);
  void reset_links() noexcept;
  void publish(std::uint64_t fulfilled);

  GateSocket listener_ = open_socket();
  GateSocket waker_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  const sockaddr_in target_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  Wish wish_;
  std::uint64_t done_ = 0;  // the last wish that is fulfilled
  GateCounters published_;

  std::list<Link> links_;  // the thread's, as is what follows
  GateCounters counters_;
  std::vector<pollfd> polled_;
  std::thread thread_;
};

TcpGate::Impl::Impl(std::uint16_t target_port) : target_(loopback(target_port)) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (waker_.broken() || ::bind(listener_.fd(), any, size) != 0 ||
      ::listen(listener_.fd(), SOMAXCONN) != 0 || ::getsockname(listener_.fd(), any, &size) != 0) {
    throw ConfigError("gate: no socket to listen on");
  }
  port = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

TcpGate::Impl::~Impl() {
  change([](Wish& wish) { wish.stop = true; });
  thread_.join();
  reset_links();
}

void TcpGate::Impl::wake() const noexcept {
  const std::uint64_t one = 1;
  (void)!::write(waker_.fd(), &one, sizeof one);
}

void TcpGate::Impl::run() {
  v0::detail::name_this_thread("tcp-gate");
  for (;;) {
    Wish wish;
    {
      const std::scoped_lock lock(mutex_);
      wish = wish_;
      wish_.reset = false;
    }
    if (wish.reset) reset_links();
    turn(wish.modes);
    publish(wish.number);
    if (wish.stop) return;
    wait(wish.modes);
  }
}

void TcpGate::Impl::reset_links() noexcept {
  for (Link& link : links_) link.reset();
  links_.clear();
}

void TcpGate::Impl::wait(const Modes& modes) {
  const TimePoint now = std::chrono::steady_clock::now();
  TimePoint until = TimePoint::max();
  polled_.assign({{waker_.fd(), POLLIN, 0}, {listener_.fd(), POLLIN, 0}});
  polled_.reserve(2 + 2 * links_.size());
  for (const Link& link : links_) {
    polled_.push_back(waiting_for(link.client, link.up.wants_read(),
                                  link.down.wants_write(modes.to_client, now)));
    polled_.push_back(waiting_for(link.target, link.down.wants_read(),
                                  link.up.wants_write(modes.to_target, now)));
    for (const auto& at : {link.up.due(modes.to_target), link.down.due(modes.to_client)}) {
      if (at && *at > now) until = std::min(until, *at);
    }
  }
  int patience = -1;
  if (until != TimePoint::max()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now).count();
    patience = static_cast<int>(std::min<std::int64_t>(left, 3'600'000));
  }
  ::poll(polled_.data(), polled_.size(), patience);
  std::uint64_t forgotten = 0;
  (void)!::read(waker_.fd(), &forgotten, sizeof forgotten);
  if (polled_[1].revents != 0) accept();
}

void TcpGate::Impl::accept() {
  for (;;) {
    const int fd = ::accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    GateSocket target = open_socket();
    const auto* const address = reinterpret_cast<const sockaddr*>(&target_);
    const bool refused =
        ::connect(target.fd(), address, sizeof target_) != 0 && errno != EINPROGRESS;
    if (refused) target.close();
    links_.emplace_back(GateSocket(fd), std::move(target), counters_.accepted++, counters_);
  }
}

void TcpGate::Impl::turn(const Modes& modes) {
  const TimePoint now = std::chrono::steady_clock::now();
  links_.remove_if([&](Link& link) { return link.turn(modes, now); });
}

void TcpGate::Impl::publish(std::uint64_t fulfilled) {
  {
    const std::scoped_lock lock(mutex_);
    done_ = fulfilled;
    counters_.open = links_.size();
    published_ = counters_;
  }
  changed_.notify_all();
}

TcpGate::TcpGate(std::uint16_t target_port) : impl_(std::make_unique<Impl>(target_port)) {}
TcpGate::~TcpGate() = default;

std::uint16_t TcpGate::port() const noexcept { return impl_->port; }
void TcpGate::to_target(GateMode mode) {
  impl_->change([&](Wish& wish) { wish.modes.to_target = mode; });
}
void TcpGate::to_client(GateMode mode) {
  impl_->change([&](Wish& wish) { wish.modes.to_client = mode; });
}
void TcpGate::both(GateMode mode) {
  impl_->change([&](Wish& wish) { wish.modes = {mode, mode}; });
}
void TcpGate::reset_all() {
  impl_->change([](Wish& wish) { wish.reset = true; });
}
GateCounters TcpGate::counters() const { return impl_->counters(); }
bool TcpGate::wait_until(const std::function<bool(const GateCounters&)>& reached,
                         std::chrono::milliseconds patience) const {
  return impl_->wait_until(reached, patience);
}

}  // namespace aiserve::inline v0::testing
