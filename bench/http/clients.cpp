#include "http/clients.hpp"

#include <cstdlib>

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bench::clients {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

std::string host(std::uint16_t port) { return "Host: 127.0.0.1:" + std::to_string(port) + "\r\n"; }

}  // namespace

void fail(const std::string& why) {
  fmt::print(stderr, "{}\n", why);
  std::exit(1);
}

int connect_to(std::uint16_t port, int receive_buffer) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("no descriptor left for a connection");
  if (receive_buffer != 0) {
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  const sockaddr_in address = loopback(port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail("cannot connect");
  }
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

void send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) fail("cannot send");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string read_head(int fd, int status) {
  std::string head;
  char byte = 0;
  while (!head.ends_with("\r\n\r\n")) {
    if (::recv(fd, &byte, 1, 0) != 1) fail("the server closed a connection");
    head += byte;
  }
  if (!head.starts_with("HTTP/1.1 " + std::to_string(status))) fail("not what was asked: " + head);
  return head;
}

void read_exactly(int fd, std::size_t bytes) {
  char buffer[4096];
  while (bytes != 0) {
    const ssize_t got = ::recv(fd, buffer, std::min(bytes, sizeof buffer), 0);
    if (got <= 0) fail("the server closed a connection");
    bytes -= static_cast<std::size_t>(got);
  }
}

std::string get(std::uint16_t port, const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\n" + host(port) + "\r\n";
}

void get_and_read(int fd, std::uint16_t port, const std::string& path) {
  send_all(fd, get(port, path));
  const std::string head = read_head(fd, 200);
  const std::size_t at = head.find("ontent-Length: ");
  if (at == std::string::npos) fail("a response has no Content-Length");
  read_exactly(fd, std::stoull(head.substr(at + 15)));
}

void upgrade(int fd, std::uint16_t port) {
  send_all(fd, "GET /ws HTTP/1.1\r\n" + host(port) +
                   "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  read_head(fd, 101);
}

void ready(std::uint16_t port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener, 8) != 0) {
    fail("cannot listen");
  }
  while (true) ::pause();
}

}  // namespace bench::clients
