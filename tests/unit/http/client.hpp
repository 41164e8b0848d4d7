// A blocking HTTP client for tests: raw bytes out, whole responses in, every wait bounded.
#pragma once

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "aiserve/http/method.hpp"

namespace aiserve::http {

struct Reply {
  int status = 0;  // 0: the connection ended, or nothing came in time
  std::string head;
  std::string body;
};

class RawClient {
 public:
  RawClient() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  explicit RawClient(std::uint16_t port) : RawClient() { connect(port); }
  // Of a unix socket.
  explicit RawClient(const std::string& path)
      : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  void connect(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  RawClient(RawClient&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)),
        connected_(other.connected_),
        received_(std::move(other.received_)) {}
  ~RawClient() { close(); }

  bool connected() const { return connected_; }
  int descriptor() const { return socket_; }
  void close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  // Ends with a reset instead of a FIN.
  void kill() {
    const linger now{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  void stop_sending() { ::shutdown(socket_, SHUT_WR); }

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }

  // What the kernel takes at once; 0 when it takes nothing.
  std::size_t send_some(std::string_view bytes) {
    const ssize_t n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return n < 0 ? 0 : static_cast<std::size_t>(n);
  }

  // Reads until `received` holds `text`; false at the end of the connection or of the patience.
  bool wait_for(std::string_view text) {
    while (received_.find(text) == std::string::npos) {
      if (!receive()) return false;
    }
    return true;
  }
  // Reads a piece more; false as above.
  bool wait_for_more() { return receive(); }
  // True if the peer ends the connection in time.
  bool wait_for_end() {
    while (receive()) {
    }
    return ended_;
  }
  const std::string& received() const { return received_; }
  bool was_reset() const { return reset_; }
  // Something can be read, or the connection has ended.
  bool pending() const {
    pollfd now{socket_, POLLIN, 0};
    return ::poll(&now, 1, 0) == 1;
  }
  std::string& received() { return received_; }

  Reply reply(bool head_only = false) {
    Reply reply;
    if (!wait_for("\r\n\r\n")) return reply;
    const std::size_t end = received_.find("\r\n\r\n") + 4;
    reply.head = received_.substr(0, end);
    reply.status = std::atoi(reply.head.c_str() + 9);
    const std::size_t at = reply.head.find("Content-Length: ");
    const std::size_t length = at == std::string::npos || head_only
                                   ? 0
                                   : std::strtoul(reply.head.c_str() + at + 16, nullptr, 10);
    while (received_.size() < end + length) {
      if (!receive()) return {};
    }
    reply.body = received_.substr(end, length);
    received_.erase(0, end + length);
    return reply;
  }
  Reply ask(std::string_view bytes) { return send(bytes) ? reply() : Reply{}; }
  Reply get(std::string_view path) {
    return ask("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n");
  }

 private:
  bool receive() {
    constexpr int kPatienceMs = 20'000;
    pollfd wait{socket_, POLLIN, 0};
    if (::poll(&wait, 1, kPatienceMs) <= 0) return false;
    char bytes[16'384];
    const ssize_t n = ::recv(socket_, bytes, sizeof bytes, 0);
    ended_ = n <= 0;
    reset_ = n < 0 && errno == ECONNRESET;
    if (n > 0) received_.append(bytes, static_cast<std::size_t>(n));
    return n > 0;
  }

  int socket_;
  bool connected_ = false;
  bool ended_ = false;
  bool reset_ = false;
  std::string received_;
};

}  // namespace aiserve::http
