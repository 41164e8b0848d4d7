// A client in a running host, and what it is tried on: servers that break in simple ways.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "unit/http/client_host.hpp"
#include "unit/http/scripted_server.hpp"

namespace aiserve::http {

inline constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

// Answers every request of a connection alike.
inline ScriptedServer::Script serves(std::string text) {
  return [text = std::move(text)](ScriptedPeer& peer) {
    while (!peer.read_head().empty()) peer.send(text);
  };
}

inline ClientOptions once() { return {.retry = {.attempts = 1}}; }

struct Caller : ClientHost {
  explicit Caller(ClientOptions options = {}) : ClientHost(std::move(options)) { start(); }
};

// Takes no connection and refuses none: its queue is full.
struct FullListener {
  FullListener() : listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    ::bind(listener, generic, size);
    ::listen(listener, 0);
    ::getsockname(listener, generic, &size);
    for (int& waiting : queue) {
      waiting = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      ::connect(waiting, generic, size);
    }
  }
  ~FullListener() {
    for (const int waiting : queue) ::close(waiting);
    ::close(listener);
  }
  FullListener(const FullListener&) = delete;

  int listener;
  std::array<int, 4> queue{};
  sockaddr_in address{};
};

}  // namespace aiserve::http
