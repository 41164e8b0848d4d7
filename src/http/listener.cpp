#include "http/listener.hpp"

#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aiserve/core/error.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  int family = AF_INET;

  const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
};

Address parse(const std::string& text, std::uint16_t port) {
  Address address;
  auto* const v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* const v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (::inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.size = sizeof *v4;
  } else if (::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    address.family = AF_INET6;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.size = sizeof *v6;
  } else {
    throw ConfigError("http: address \"" + text + "\" is neither an IPv4 nor an IPv6 address");
  }
  return address;
}

[[noreturn]] void fail(const std::string& address, std::uint16_t port, int error) {
  const std::string where = "port " + std::to_string(port) + " on " + address;
  if (error == EADDRINUSE) throw ConfigError("http: " + where + " is in use");
  if (error == EACCES) throw ConfigError("http: no permission to listen on " + where);
  throw ConfigError("http: cannot listen on " + where + ": " + std::strerror(error));
}

void set(const Descriptor& socket, int level, int option, int value) noexcept {
  ::setsockopt(socket.get(), level, option, &value, sizeof value);
}

Descriptor open_socket(const Address& address) {
  Descriptor socket(::socket(address.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket)
    throw ConfigError(std::string("http: cannot open a socket: ") + std::strerror(errno));
  set(socket, SOL_SOCKET, SO_REUSEADDR, 1);  // ports of connections that have just ended
  if (address.family == AF_INET6) set(socket, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  return socket;
}

}  // namespace

Descriptor::~Descriptor() { close(); }

void Descriptor::close() noexcept {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Descriptor open_listener(const std::string& address, std::uint16_t port, int backlog) {
  const Address parsed = parse(address, port);
  Descriptor socket = open_socket(parsed);
  if (::bind(socket.get(), parsed.get(), parsed.size) != 0) fail(address, port, errno);
  set(socket, SOL_SOCKET, SO_REUSEPORT, 1);
  if (::listen(socket.get(), backlog) != 0) fail(address, port, errno);
  return socket;
}

Descriptor open_sibling(const std::string& address, std::uint16_t port, int backlog) {
  const Address parsed = parse(address, port);
  Descriptor socket = open_socket(parsed);
  set(socket, SOL_SOCKET, SO_REUSEPORT, 1);
  if (::bind(socket.get(), parsed.get(), parsed.size) != 0) fail(address, port, errno);
  if (::listen(socket.get(), backlog) != 0) fail(address, port, errno);
  return socket;
}

std::uint16_t port_of(const Descriptor& listener) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&bound), &size);
  const bool v6 = bound.ss_family == AF_INET6;
  return ntohs(v6 ? reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port
                  : reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
}

}  // namespace aiserve::inline v0::http::detail
