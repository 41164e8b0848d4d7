// The client's end of one connection of a TestClient.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include <sys/socket.h>
#include <unistd.h>

#include "aiserve/http_testing/test_client.hpp"

namespace aiserve::inline v0::http {

struct TestClient::Call::State {
  State(testing::SimRuntime& its_sim, int its_socket, bool is_head) noexcept
      : sim(its_sim), socket(its_socket), bodiless(is_head) {}
  ~State() {
    ::close(socket);
    sim.run_until_idle();  // the server sees the client go
  }

  // Runs what can run until neither side moves any more.
  void turn() {
    for (bool moved = true; moved;) {
      const bool sent = write();
      moved = read() || sent;
      sim.run_until_idle();
      moved = read() || moved;
    }
  }
  bool write() {
    const ssize_t n = unsent.empty() ? 0 : ::send(socket, unsent.data(), unsent.size(), kFlags);
    if (n > 0) unsent.erase(0, static_cast<std::size_t>(n));
    return n > 0;
  }
  bool read() {
    std::array<char, 64 * 1024> buffer;
    const ssize_t n = ended ? -1 : ::recv(socket, buffer.data(), buffer.size(), kFlags);
    if (n > 0) received.append(buffer.data(), static_cast<std::size_t>(n));
    if (n == 0) ended = true;
    return n > 0;
  }

  static constexpr int kFlags = MSG_DONTWAIT | MSG_NOSIGNAL;

  testing::SimRuntime& sim;
  int socket;
  bool bodiless;
  bool ended = false;
  std::string unsent;
  std::string received;
  std::string events;           // what is left of an event stream
  std::size_t events_seen = 0;  // bytes of its body
};

}  // namespace aiserve::inline v0::http
