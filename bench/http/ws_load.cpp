// ws_load PORT --messages N [--connections 64] [--window 1] [--bytes 32]: a closed-loop load on a
// WebSocket echo at /ws. Every connection keeps `window` messages in flight: as each read brings
// echoes, as many new ones go out in one write. Every echo is compared with what was sent. Prints
// messages, seconds, messages/s.
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "harness/process.hpp"
#include "http/clients.hpp"

namespace {

namespace clients = bench::clients;

struct Settings {
  std::uint16_t port = 0;
  std::uint64_t messages = 0;
  std::size_t connections = 64;
  std::size_t window = 1;
  std::size_t bytes = 32;
};

Settings parse(int argc, char** argv) {
  if (argc < 2 || argc % 2 != 0) clients::fail("usage: ws_load PORT --messages N ...");
  Settings settings;
  settings.port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::uint64_t value = std::strtoull(argv[i + 1], nullptr, 10);
    if (name == "--messages")
      settings.messages = value;
    else if (name == "--connections")
      settings.connections = value;
    else if (name == "--window")
      settings.window = value;
    else if (name == "--bytes")
      settings.bytes = value;
    else
      clients::fail("unknown argument: " + std::string(name));
  }
  if (settings.messages == 0 || settings.connections == 0 || settings.window == 0 ||
      settings.bytes == 0 || settings.bytes > 125) {
    clients::fail("--messages, --connections and --window must be above 0, --bytes 1 to 125");
  }
  return settings;
}

std::string payload_of(std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) text += static_cast<char>('a' + i % 26);
  return text;
}

// A masked binary frame of up to 125 bytes (RFC 6455 section 5.2).
std::string frame_of(const std::string& payload) {
  constexpr char kMask[4] = {0x11, 0x22, 0x33, 0x44};
  std::string frame{static_cast<char>(0x82), static_cast<char>(0x80 | payload.size())};
  frame.append(kMask, sizeof kMask);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    frame += static_cast<char>(payload[i] ^ kMask[i % 4]);
  }
  return frame;
}

struct Connection {
  int fd = -1;
  std::string in;
};

class Load {
 public:
  explicit Load(const Settings& settings)
      : settings_(settings), poll_(::epoll_create1(EPOLL_CLOEXEC)) {
    const std::string payload = payload_of(settings.bytes);
    for (std::size_t i = 0; i < settings.window; ++i) window_ += frame_of(payload);
    echo_ = std::string{static_cast<char>(0x82), static_cast<char>(payload.size())} + payload;
    connections_.resize(settings.connections);
  }

  void run() {
    for (Connection& connection : connections_) open(connection);
    const double begun = bench::seconds_now();
    for (Connection& connection : connections_) send(connection, settings_.window);
    epoll_event events[256];
    while (echoed_ < settings_.messages) {
      const int ready = ::epoll_wait(poll_, events, 256, 10'000);
      if (ready <= 0) clients::fail("no echo for 10 s");
      for (int i = 0; i < ready; ++i) receive(*static_cast<Connection*>(events[i].data.ptr));
    }
    const double seconds = bench::seconds_now() - begun;
    fmt::print("{} {:.6f} {:.0f}\n", echoed_, seconds, static_cast<double>(echoed_) / seconds);
  }

 private:
  void open(Connection& connection) {
    connection.fd = clients::connect_to(settings_.port);
    clients::upgrade(connection.fd, settings_.port);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &connection;
    ::epoll_ctl(poll_, EPOLL_CTL_ADD, connection.fd, &event);
  }

  void send(const Connection& connection, std::size_t count) {
    const std::size_t frame = window_.size() / settings_.window;
    clients::send_all(connection.fd, std::string_view(window_).substr(0, count * frame));
  }

  void receive(Connection& connection) {
    const ssize_t got = ::recv(connection.fd, buffer_, sizeof buffer_, 0);
    if (got <= 0) clients::fail("the server closed a connection");
    std::string_view in(buffer_, static_cast<std::size_t>(got));
    if (!connection.in.empty()) in = connection.in.append(in);
    std::size_t count = 0;
    for (; in.size() >= echo_.size(); in.remove_prefix(echo_.size()), ++count) {
      if (!in.starts_with(echo_)) clients::fail("an echo differs from what was sent");
    }
    connection.in = std::string(in);
    echoed_ += count;
    if (count != 0) send(connection, count);
  }

  Settings settings_;
  int poll_;
  std::string window_;
  std::string echo_;
  std::vector<Connection> connections_;
  std::uint64_t echoed_ = 0;
  char buffer_[65536];
};

}  // namespace

int main(int argc, char** argv) {
  static Load load(parse(argc, argv));
  load.run();
}
