#include "http/listener.hpp"

#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
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

namespace {

[[noreturn]] void fail_unix(const std::string& path, const std::string& why) {
  throw ConfigError("http: unix_path \"" + path + "\": " + why);
}

// What a process left behind that is no more may be replaced; nothing else.
void remove_stale(const std::string& path, const sockaddr_un& address) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return;
  if (!S_ISSOCK(status.st_mode)) fail_unix(path, "is there and is no socket");
  const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const auto* const target = reinterpret_cast<const sockaddr*>(&address);
  const bool refused = ::connect(probe.get(), target, sizeof address) != 0 && errno == ECONNREFUSED;
  if (!refused) fail_unix(path, "is in use");
  ::unlink(path.c_str());
}

}  // namespace

Descriptor open_unix_listener(const std::string& path, unsigned mode, int backlog) {
  sockaddr_un address{};
  if (path.size() >= sizeof address.sun_path) fail_unix(path, "is longer than 107 bytes");
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, path.size());
  remove_stale(path, address);
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const auto* const name = reinterpret_cast<const sockaddr*>(&address);
  if (::bind(socket.get(), name, sizeof address) != 0) fail_unix(path, std::strerror(errno));
  // Nobody can connect before listen(), so that nobody is let in by the umask.
  const bool listening =
      ::chmod(path.c_str(), static_cast<mode_t>(mode)) == 0 && ::listen(socket.get(), backlog) == 0;
  if (!listening) fail_unix(path, std::strerror(errno));
  return socket;
}

SocketFile::SocketFile(std::string path) : path_(std::move(path)) {
  struct stat status {};
  if (::stat(path_.c_str(), &status) == 0) inode_ = status.st_ino;
}

void SocketFile::remove() noexcept {
  struct stat status {};
  if (path_.empty()) return;
  if (::stat(path_.c_str(), &status) == 0 && status.st_ino == inode_) ::unlink(path_.c_str());
  path_.clear();
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
