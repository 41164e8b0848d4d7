// epoll_floor PORT: the least an HTTP server on Linux can do, as the floor of `bench http`. One
// thread, one read and one write per readable socket, all requests of a read answered together. It
// looks for the end of the head and for Content-Length, and checks nothing else: not a server to
// learn from. POST: the body comes back as JSON. Anything else: "Hello, World!".
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <unordered_map>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

constexpr std::string_view kJson =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ";
constexpr std::string_view kHello =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!";

std::size_t content_length(std::string_view head) {
  const std::size_t at = head.find("Content-Length: ");
  if (at == std::string_view::npos) return 0;
  std::size_t length = 0;
  std::from_chars(head.data() + at + 16, head.data() + head.size(), length);
  return length;
}

void answer(std::string& out, std::string_view head, std::string_view body) {
  if (!head.starts_with("POST")) {
    out += kHello;
    return;
  }
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, body.size());
  out += kJson;
  out.append(digits, static_cast<std::size_t>(end - digits));
  out += "\r\n\r\n";
  out += body;
}

// Answers all complete requests of `in`; returns how many bytes they were.
std::size_t answer_all(std::string& out, std::string_view in) {
  std::size_t used = 0;
  while (true) {
    const std::string_view rest = in.substr(used);
    const std::size_t end = rest.find("\r\n\r\n");
    if (end == std::string_view::npos) return used;
    const std::string_view head = rest.substr(0, end + 4);
    const std::size_t length = content_length(head);
    if (rest.size() < head.size() + length) return used;
    answer(out, head, rest.substr(head.size(), length));
    used += head.size() + length;
  }
}

class Floor {
 public:
  explicit Floor(int listener) : listener_(listener), poll_(::epoll_create1(EPOLL_CLOEXEC)) {
    watch(listener);
  }

  [[noreturn]] void run() {
    epoll_event events[256];
    while (true) {
      const int ready = ::epoll_wait(poll_, events, 256, -1);
      for (int i = 0; i < ready; ++i) {
        const int fd = events[i].data.fd;
        fd == listener_ ? accept() : serve(fd);
      }
    }
  }

 private:
  void watch(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(poll_, EPOLL_CTL_ADD, fd, &event);
  }

  void accept() {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(fd);
  }

  void close(int fd) {
    partial_.erase(fd);
    ::close(fd);
  }

  void serve(int fd) {
    const ssize_t got = ::recv(fd, buffer_, sizeof buffer_, 0);
    if (got <= 0) return close(fd);
    std::string_view in(buffer_, static_cast<std::size_t>(got));
    const auto kept = partial_.find(fd);
    if (kept != partial_.end()) in = kept->second.append(in);
    out_.clear();
    const std::size_t used = answer_all(out_, in);
    // A peer that does not read what it asked for is not served.
    if (::send(fd, out_.data(), out_.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(out_.size())) {
      return close(fd);
    }
    if (used != in.size()) {
      partial_[fd] = std::string(in.substr(used));
    } else if (kept != partial_.end()) {
      partial_.erase(kept);
    }
  }

  int listener_;
  int poll_;
  std::unordered_map<int, std::string> partial_;
  std::string out_;
  char buffer_[65536];
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[1])));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener, 1024) != 0) {
    std::perror("epoll_floor");
    return 1;
  }
  static Floor floor(listener);
  floor.run();
}
