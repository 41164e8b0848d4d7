#include <chrono>
#include <string>
#include <thread>

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aiserve/core/error.hpp"
#include "aiserve/testing/tcp_gate.hpp"
#include "support/deaf_port.hpp"
#include "support/descriptors.hpp"
#include "unit/http/client.hpp"

namespace aiserve::testing {
namespace {

using namespace std::chrono_literals;
using http::RawClient;

// Sends back what it gets, one connection after the other.
class Echo {
 public:
  Echo() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(listener_, any, size) == 0);
    REQUIRE(::listen(listener_, 16) == 0);
    REQUIRE(::getsockname(listener_, any, &size) == 0);
    port = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Echo() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }

  std::uint16_t port = 0;

 private:
  void serve() const {
    for (;;) {
      const int peer = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (peer < 0) return;
      char bytes[4096];
      for (;;) {
        const ssize_t n = ::recv(peer, bytes, sizeof bytes, 0);
        if (n <= 0) break;
        if (::send(peer, bytes, static_cast<std::size_t>(n), MSG_NOSIGNAL) != n) break;
      }
      ::close(peer);
    }
  }

  int listener_;
  std::thread thread_;
};

std::string letters(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 26);
  return text;
}

// What comes back when all of `text` was echoed or the connection ended.
std::string echoed(TcpGate& gate, const std::string& text) {
  RawClient client(gate.port());
  client.send(text);
  while (client.received().size() < text.size() && client.wait_for_more()) {
  }
  return client.received();
}

bool none_open(const GateCounters& now) { return now.open == 0; }

TEST_CASE("a gate that passes forwards both ways, ends included") {
  Echo echo;
  TcpGate gate(echo.port);
  {
    RawClient client(gate.port());
    REQUIRE(client.send("hello"));
    CHECK(client.wait_for("hello"));
    client.stop_sending();
    CHECK(client.wait_for_end());
  }
  REQUIRE(gate.wait_until(none_open));
  const GateCounters counters = gate.counters();
  CHECK(counters.accepted == 1);
  CHECK(counters.to_target.received == 5);
  CHECK(counters.to_target.forwarded == 5);
  CHECK(counters.to_client.forwarded == 5);
  CHECK(counters.to_target.ends == 1);
  CHECK(counters.to_client.ends == 1);
}

TEST_CASE("what goes into a black hole is gone, and the connection goes on behind it") {
  Echo echo;
  TcpGate gate(echo.port);
  RawClient client(gate.port());
  gate.to_target(GateMode::drop());
  REQUIRE(client.send("lost"));
  REQUIRE(gate.wait_until([](const GateCounters& now) { return now.to_target.received == 4; }));
  gate.both(GateMode::pass());
  REQUIRE(client.send("kept"));
  CHECK(client.wait_for("kept"));
  CHECK(client.received() == "kept");
  CHECK(gate.wait_until([](const GateCounters& now) { return now.to_target.forwarded == 4; }));
}

TEST_CASE("a black hole keeps an end for itself until it passes again") {
  Echo echo;
  TcpGate gate(echo.port);
  RawClient client(gate.port());
  gate.to_target(GateMode::drop());
  client.stop_sending();
  REQUIRE(gate.wait_until([](const GateCounters& now) { return now.to_target.ends == 1; }));
  CHECK(gate.counters().to_client.ends == 0);
  gate.to_target(GateMode::pass());
  CHECK(client.wait_for_end());
  CHECK(gate.wait_until(none_open));
}

TEST_CASE("a reset is told by a gate that passes, not by one that drops") {
  Echo echo;
  TcpGate gate(echo.port);
  gate.both(GateMode::drop());
  RawClient(gate.port()).kill();
  REQUIRE(gate.wait_until([](const GateCounters& now) { return now.to_target.ends == 1; }));
  CHECK(gate.counters().open == 1);
  gate.both(GateMode::pass());
  CHECK(gate.wait_until(none_open));
  RawClient(gate.port()).kill();
  CHECK(gate.wait_until([](const GateCounters& now) { return now.accepted == 2; }));
  CHECK(gate.wait_until(none_open));
}

TEST_CASE("what is delayed comes later, or at once when the mode changes") {
  Echo echo;
  TcpGate gate(echo.port);
  gate.to_client(GateMode::delay(20ms));
  const auto began = std::chrono::steady_clock::now();
  CHECK(echoed(gate, "soon") == "soon");
  CHECK(std::chrono::steady_clock::now() - began >= 20ms);

  gate.to_client(GateMode::delay(1h));
  RawClient client(gate.port());
  REQUIRE(client.send("later"));
  REQUIRE(gate.wait_until([](const GateCounters& now) { return now.to_client.received == 9; }));
  CHECK(gate.wait_until([](const GateCounters& now) { return now.to_client.forwarded == 4; }));
  gate.to_client(GateMode::pass());
  CHECK(client.wait_for("later"));
}

TEST_CASE("close and reset end both sides at the first byte") {
  Echo echo;
  TcpGate gate(echo.port);
  for (const GateMode& mode : {GateMode::close_on_data(), GateMode::reset_on_data()}) {
    gate.to_target(mode);
    RawClient client(gate.port());
    REQUIRE(client.send("x"));
    CHECK(client.wait_for_end());
    CHECK(client.received().empty());
    CHECK(gate.wait_until(none_open));
  }
  CHECK(gate.counters().to_target.forwarded == 0);
  gate.both(GateMode::pass());
  CHECK(echoed(gate, "again") == "again");
}

TEST_CASE("slices arrive complete and in order") {
  Echo echo;
  TcpGate gate(echo.port);
  const std::string text = letters(10'000);
  for (const unsigned size : {1U, 7U, 100'000U}) {
    gate.both(GateMode::slice(size));
    CHECK(echoed(gate, text) == text);
  }
}

TEST_CASE("corruption flips single bits, the same ones for the same seed") {
  Echo echo;
  const std::string text = letters(4000);
  const auto corrupted = [&](std::uint64_t seed) {
    TcpGate gate(echo.port);
    gate.to_target(GateMode::corrupt(seed, 50));
    std::string got = echoed(gate, text);
    std::uint64_t changed = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto bits = static_cast<unsigned char>(got.at(i) ^ text[i]);
      CHECK((bits & (bits - 1)) == 0);
      if (bits != 0) ++changed;
    }
    CHECK(gate.wait_until(
        [&](const GateCounters& now) { return now.to_target.corrupted == changed; }));
    CHECK(changed > 20);
    CHECK(changed < 300);
    return got;
  };
  const std::string first = corrupted(1);
  CHECK(corrupted(1) == first);
  CHECK(corrupted(2) != first);
}

TEST_CASE("a limited line takes the time it must") {
  Echo echo;
  TcpGate gate(echo.port);
  gate.to_target(GateMode::limit(200'000));
  const std::string text = letters(20'000);
  const auto began = std::chrono::steady_clock::now();
  CHECK(echoed(gate, text) == text);
  CHECK(std::chrono::steady_clock::now() - began >= 90ms);  // all but the first burst
}

TEST_CASE("a gate holds no more than its buffer and lets the sender wait") {
  Echo echo;
  TcpGate gate(echo.port);
  gate.to_target(GateMode::limit(1));
  RawClient client(gate.port());
  REQUIRE(client.send(letters(512 * 1024)));
  REQUIRE(
      gate.wait_until([](const GateCounters& now) { return now.to_target.received >= 65'536; }));
  const GateCounters now = gate.counters();
  CHECK(now.to_target.received - now.to_target.forwarded <= 65'536);
  gate.both(GateMode::pass());
  while (client.received().size() < 512 * 1024 && client.wait_for_more()) {
  }
  CHECK(client.received() == letters(512 * 1024));
}

TEST_CASE("reset_all ends what is open and nothing else") {
  Echo echo;
  TcpGate gate(echo.port);
  RawClient client(gate.port());
  REQUIRE(client.send("a"));
  REQUIRE(client.wait_for("a"));
  gate.reset_all();
  CHECK(gate.counters().open == 0);
  CHECK(client.wait_for_end());
  CHECK(echoed(gate, "new") == "new");
}

TEST_CASE("a target that refuses resets the client") {
  const DeafPort nobody;
  TcpGate gate(nobody.port());
  RawClient client(gate.port());
  CHECK(client.wait_for_end());
  CHECK(gate.wait_until(none_open));
}

TEST_CASE("a gate takes its connections, descriptors and thread with it") {
  const std::size_t before = open_descriptors();
  {
    Echo echo;
    TcpGate gate(echo.port);
    gate.both(GateMode::drop());
    RawClient first(gate.port());
    RawClient second(gate.port());
    first.send("x");
    CHECK(gate.wait_until([](const GateCounters& now) { return now.open == 2; }));
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("waiting for what doesn't happen ends") {
  Echo echo;
  TcpGate gate(echo.port);
  CHECK_FALSE(gate.wait_until([](const GateCounters& now) { return now.accepted != 0; }, 1ms));
}

TEST_CASE("modes out of range are refused") {
  CHECK_THROWS_AS(GateMode::slice(0), ConfigError);
  CHECK_THROWS_AS(GateMode::corrupt(1, 0), ConfigError);
  CHECK_THROWS_AS(GateMode::limit(0), ConfigError);
  CHECK_THROWS_AS(GateMode::delay(-1ms), ConfigError);
}

}  // namespace
}  // namespace aiserve::testing
