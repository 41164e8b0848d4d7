// A server that does what its scripts say, however wrong; each connection on a thread of its own.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace aiserve::http {

// What a script has in its hands; every wait is bounded.
class ScriptedPeer {
 public:
  ScriptedPeer(int socket, std::string& requests, std::mutex& mutex)
      : socket_(socket), requests_(requests), mutex_(mutex) {}
  ~ScriptedPeer() { ::close(socket_); }
  ScriptedPeer(const ScriptedPeer&) = delete;

  // The head of the next request; empty if the client has gone.
  std::string read_head() {
    std::string head;
    while (head.find("\r\n\r\n") == std::string::npos) {
      char byte = 0;
      pollfd wait{socket_, POLLIN, 0};
      if (::poll(&wait, 1, 20'000) <= 0 || ::recv(socket_, &byte, 1, 0) <= 0) return {};
      head += byte;
    }
    const std::scoped_lock lock(mutex_);
    requests_ += head;
    return head;
  }
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  void answer(std::string_view bytes) {
    if (!read_head().empty()) send(bytes);
  }
  // Something of a body; empty if the client has gone.
  std::string receive() {
    std::string bytes(64 * 1024, '\0');
    pollfd wait{socket_, POLLIN, 0};
    ssize_t n = ::poll(&wait, 1, 20'000);
    if (n > 0) n = ::recv(socket_, bytes.data(), bytes.size(), 0);
    bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return bytes;
  }
  // Up to and with this end.
  std::string receive_until(std::string_view end) {
    std::string all;
    for (;;) {
      const std::string bytes = receive();
      all += bytes;
      if (bytes.empty() || all.ends_with(end)) return all;
    }
  }
  // Until the client has gone.
  void wait_for_end() {
    char bytes[4096];
    for (;;) {
      pollfd wait{socket_, POLLIN, 0};
      if (::poll(&wait, 1, 20'000) <= 0 || ::recv(socket_, bytes, sizeof bytes, 0) <= 0) return;
    }
  }
  // Closing resets the connection.
  void reset_on_close() {
    const linger now{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }

 private:
  int socket_;
  std::string& requests_;
  std::mutex& mutex_;
};

class ScriptedServer {
 public:
  using Script = std::function<void(ScriptedPeer&)>;

  // Connection i gets script i; those beyond the last get the last.
  explicit ScriptedServer(std::vector<Script> scripts)
      : scripts_(std::move(scripts)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_, 64);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  explicit ScriptedServer(Script script) : ScriptedServer(std::vector<Script>{std::move(script)}) {}
  ~ScriptedServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  ScriptedServer(const ScriptedServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string url(std::string_view target = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string(target);
  }
  int connections() const { return connections_; }
  // All heads so far.
  std::string requests() const {
    const std::scoped_lock lock(mutex_);
    return requests_;
  }
  int count(std::string_view text) const {
    const std::string all = requests();
    int found = 0;
    for (std::size_t at = all.find(text); at != std::string::npos; at = all.find(text, at + 1)) {
      ++found;
    }
    return found;
  }

 private:
  void serve() {
    std::vector<std::thread> threads;
    for (;;) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) break;
      ++connections_;
      const Script& script = scripts_[std::min(threads.size(), scripts_.size() - 1)];
      threads.emplace_back([this, socket, &script] {
        ScriptedPeer peer(socket, requests_, mutex_);
        script(peer);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  const std::vector<Script> scripts_;
  int listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  mutable std::mutex mutex_;
  std::string requests_;
  std::thread thread_;
};

}  // namespace aiserve::http
