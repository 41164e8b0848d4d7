// http_load: a closed-loop load generator, a process of its own.
//
//   http_load PORT --requests N [--connections 64] [--depth 1] [--post BYTES] [--path PATH]
//             [--header "Name: value"]...
//
// Every connection keeps `depth` requests in flight: it writes them in one go and goes on when all
// have been answered. GET /plaintext, or POST /echo with a JSON body of BYTES, or the same of
// another path. Every response is read to its last byte and must be a 200 with Content-Length, or
// the program fails. Prints one line: requests, seconds, requests/s, p50 and p99 in us (of a round
// of `depth`).
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/process.hpp"

namespace {

struct Settings {
  std::uint16_t port = 0;
  std::uint64_t requests = 0;
  std::size_t connections = 64;
  std::size_t depth = 1;
  std::size_t post = 0;
  std::string path;
  std::string headers;
};

[[noreturn]] void fail(const std::string& why) {
  fmt::print(stderr, "http_load: {}\n", why);
  std::exit(1);
}

Settings parse(int argc, char** argv) {
  if (argc < 2 || argc % 2 != 0) fail("usage: http_load PORT --requests N [--connections N] ...");
  Settings settings;
  settings.port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::uint64_t value = std::strtoull(argv[i + 1], nullptr, 10);
    if (name == "--requests")
      settings.requests = value;
    else if (name == "--connections")
      settings.connections = value;
    else if (name == "--depth")
      settings.depth = value;
    else if (name == "--post")
      settings.post = value;
    else if (name == "--path")
      settings.path = argv[i + 1];
    else if (name == "--header")
      settings.headers.append(argv[i + 1]).append("\r\n");
    else
      fail("unknown argument: " + std::string(name));
  }
  if (settings.requests == 0 || settings.connections == 0 || settings.depth == 0) {
    fail("--requests, --connections and --depth must be above 0");
  }
  if (settings.path.empty()) settings.path = settings.post == 0 ? "/plaintext" : "/echo";
  return settings;
}

std::string json_of(std::size_t size) {
  const std::string_view head = R"({"model":"classifier","tenant":"acme","top_k":5,"inputs":[)";
  const std::string_view tail = "0.5]}";
  std::string text(head);
  while (text.size() + tail.size() + 6 <= size) text += "0.125,";
  text += tail;
  if (text.size() > size) fail("--post must be at least 70");
  text.insert(text.size() - 1, size - text.size(), ' ');
  return text;
}

std::string request_of(const Settings& settings) {
  const std::string common = settings.path +
                             " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(settings.port) +
                             "\r\n" + settings.headers;
  if (settings.post == 0) return "GET " + common + "\r\n";
  const std::string body = json_of(settings.post);
  return "POST " + common +
         "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

// Of the response at the start of `text`: its whole size, 0 while it is not all there.
std::size_t response_size(std::string_view text) {
  const std::size_t end = text.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  if (!text.starts_with("HTTP/1.1 200 "))
    fail("a response is not a 200: " + std::string(text.substr(0, 60)));
  for (std::size_t at = text.find("\r\n"); at < end; at = text.find("\r\n", at + 2)) {
    constexpr std::string_view kName = "content-length:";
    const std::string_view line = text.substr(at + 2, end - at - 2);
    if (line.size() < kName.size() || ::strncasecmp(line.data(), kName.data(), kName.size()) != 0) {
      continue;
    }
    const std::size_t digits = line.find_first_not_of(' ', kName.size());
    std::size_t length = 0;
    std::from_chars(line.data() + digits, line.data() + line.size(), length);
    const std::size_t whole = end + 4 + length;
    return text.size() >= whole ? whole : 0;
  }
  fail("a response has no Content-Length");
}

struct Connection {
  int fd = -1;
  std::size_t expected = 0;
  double sent_at = 0;
  std::string in;
};

class Load {
 public:
  explicit Load(const Settings& settings)
      : settings_(settings), poll_(::epoll_create1(EPOLL_CLOEXEC)), request_(request_of(settings)) {
    for (std::size_t i = 0; i < settings.depth; ++i) round_ += request_;
    connections_.resize(settings.connections);
    latencies_.reserve(settings.requests / settings.depth + settings.connections);
  }

  void run() {
    for (Connection& connection : connections_) connect(connection);
    const double begun = bench::seconds_now();
    for (Connection& connection : connections_) send_round(connection);
    epoll_event events[256];
    while (answered_ < settings_.requests) {
      const int ready = ::epoll_wait(poll_, events, 256, 10'000);
      if (ready <= 0) fail("no response for 10 s");
      for (int i = 0; i < ready; ++i) receive(*static_cast<Connection*>(events[i].data.ptr));
    }
    report(bench::seconds_now() - begun);
  }

 private:
  void connect(Connection& connection) {
    connection.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(settings_.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(connection.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      fail("cannot connect");
    }
    const int on = 1;
    ::setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &connection;
    ::epoll_ctl(poll_, EPOLL_CTL_ADD, connection.fd, &event);
  }

  void send_round(Connection& connection) {
    const std::size_t count = static_cast<std::size_t>(
        std::min<std::uint64_t>(settings_.depth, settings_.requests - sent_));
    if (count == 0) return;
    sent_ += count;
    connection.expected = count;
    connection.sent_at = bench::seconds_now();
    const std::size_t size = count * request_.size();
    if (::send(connection.fd, round_.data(), size, MSG_NOSIGNAL) != static_cast<ssize_t>(size)) {
      fail("cannot send");
    }
  }

  void receive(Connection& connection) {
    const ssize_t got = ::recv(connection.fd, buffer_, sizeof buffer_, 0);
    if (got <= 0) fail("the server closed a connection");
    std::string_view in(buffer_, static_cast<std::size_t>(got));
    if (!connection.in.empty()) in = connection.in.append(in);
    std::size_t used = 0;
    while (used < in.size()) {
      const std::size_t size = response_size(in.substr(used));
      if (size == 0) break;
      used += size;
      if (connection.expected-- == 0) fail("more responses than requests");
      ++answered_;
    }
    connection.in = std::string(in.substr(used));
    if (connection.expected != 0) return;
    latencies_.push_back(bench::seconds_now() - connection.sent_at);
    send_round(connection);
  }

  void report(double seconds) {
    std::sort(latencies_.begin(), latencies_.end());
    const auto at = [&](double share) {
      const auto last = static_cast<double>(latencies_.size() - 1);
      return latencies_[static_cast<std::size_t>(last * share)] * 1e6;
    };
    fmt::print("{} {:.6f} {:.0f} {:.1f} {:.1f}\n", answered_, seconds,
               static_cast<double>(answered_) / seconds, at(0.5), at(0.99));
  }

  Settings settings_;
  int poll_;
  std::string request_;
  std::string round_;
  std::vector<Connection> connections_;
  std::vector<double> latencies_;
  std::uint64_t sent_ = 0;
  std::uint64_t answered_ = 0;
  char buffer_[65536];
};

}  // namespace

int main(int argc, char** argv) {
  static Load load(parse(argc, argv));
  load.run();
}
