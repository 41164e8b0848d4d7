// Listening sockets. The first of a server is bound without SO_REUSEPORT, so that a port in use is
// an error even if its owner shares it; then the server's other I/O threads join it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace aiserve::inline v0::http::detail {

// Closes its descriptor when destroyed.
class Descriptor {
 public:
  Descriptor() noexcept = default;
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();

  int get() const noexcept { return fd_; }
  void close() noexcept;
  // Somebody else closes it.
  int release() noexcept { return std::exchange(fd_, -1); }
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// Both throw ConfigError.
Descriptor open_listener(const std::string& address, std::uint16_t port, int backlog);
Descriptor open_sibling(const std::string& address, std::uint16_t port, int backlog);

// A socket file that nobody listens on is replaced. Throws ConfigError.
Descriptor open_unix_listener(const std::string& path, unsigned mode, int backlog);

std::uint16_t port_of(const Descriptor& listener);

// The file of a unix socket, which is removed when it is no longer needed, unless it is another's
// by then.
class SocketFile {
 public:
  SocketFile() noexcept = default;
  explicit SocketFile(std::string path);
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(SocketFile&& other) noexcept {
    path_.swap(other.path_);
    std::swap(inode_, other.inode_);
    return *this;
  }
  ~SocketFile() { remove(); }

  void remove() noexcept;

 private:
  std::string path_;
  std::uint64_t inode_ = 0;
};

}  // namespace aiserve::inline v0::http::detail
