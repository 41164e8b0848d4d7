// Attacks by slowness and by size. Each ends with an ordinary request served, and with every
// connection and descriptor given back.
#include <deque>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <sys/resource.h>

#include "aiserve/core/async.hpp"
#include "support/descriptors.hpp"
#include "support/memory.hpp"
#include "unit/http/client.hpp"
#include "unit/http/simulation.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;

constexpr int kAttackers = 50;

bool answered(const RawClient& client) {
  pollfd wait{client.descriptor(), POLLIN, 0};
  return ::poll(&wait, 1, 0) == 1;
}

class Siege : public Simulation {
 public:
  explicit Siege(ServerOptions given = {}) : Simulation(std::move(given)) {
    server.post("/size", [](const Context&, const Request& request) {
      return text(std::to_string(request.body().size()));
    });
    server.get("/large",
               [](const Context&, const Request&) { return text(std::string(20'000'000, 'x')); });
    server.get("/", [](const Context&, const Request&) { return text("alive"); });
    sim.start();
    CHECK(served());
    descriptors_ = testing::open_descriptors();
    resident_ = testing::resident_kib();
  }
  ~Siege() {
    attackers.clear();
    CHECK(run_until([&] { return server.connections() == 0; }));
    CHECK(testing::open_descriptors() <= descriptors_);
    if (testing::kMemoryTells) CHECK(testing::resident_kib() <= resident_ + 8 * 1024);
    CHECK(served());
  }

  bool served() {
    RawClient probe(server.port());
    probe.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    return run_until([&] { return answered(probe); }) && probe.reply().body == "alive";
  }
  void attack(std::string_view bytes) {
    attackers.reserve(kAttackers);
    for (int i = 0; i < kAttackers; ++i) {
      attackers.emplace_back(server.port());
      attackers.back().send(bytes);
    }
    REQUIRE(run_until([&] { return server.connections() == kAttackers; }));
  }
  // A byte a second from each; whoever else asks is served meanwhile.
  void dribble(int seconds) {
    for (int second = 0; second < seconds; ++second) {
      for (RawClient& attacker : attackers) attacker.send("x");
      sim.advance(1s);
      settle();
      REQUIRE(served());
    }
  }
  // One client, which sends until it is answered or has sent `pieces`.
  Reply flood(std::string_view begin, std::string_view piece, int pieces) {
    RawClient client(server.port());
    client.send(begin);
    for (int sent = 0; sent < pieces; ++sent) {
      if (!client.send(piece)) break;
      sim.run_until_idle();
      if (answered(client)) break;
    }
    (void)run_until([&] { return answered(client); });
    return client.reply();
  }

  std::vector<RawClient> attackers;

 private:
  std::size_t descriptors_ = 0;
  std::size_t resident_ = 0;  // KiB
};

TEST_CASE("heads that come a byte a second are ended in their time") {
  Siege siege;
  siege.attack("GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ");
  siege.dribble(9);
  CHECK(siege.server.connections() == kAttackers);
  siege.dribble(2);
  for (RawClient& attacker : siege.attackers) CHECK(attacker.reply().status == 408);
}

TEST_CASE("bodies that come a byte a second are ended in their time") {
  Siege siege({.body_timeout = 20s});
  siege.attack("POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
  siege.dribble(18);
  CHECK(siege.server.connections() == kAttackers);
  siege.dribble(3);
  for (RawClient& attacker : siege.attackers) CHECK(attacker.reply().status == 408);
}

TEST_CASE("chunked bodies that come a byte a second are ended in their time") {
  Siege siege({.body_timeout = 10s});
  siege.attack("POST /size HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n");
  siege.dribble(12);
  for (RawClient& attacker : siege.attackers) CHECK(attacker.reply().status == 408);
}

TEST_CASE("peers that don't read what they asked for are let go") {
  Siege siege;
  siege.attack("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  siege.settle();
  for (int second = 0; second < 29; ++second) {
    siege.sim.advance(1s);
    REQUIRE(siege.served());
  }
  CHECK(siege.server.connections() == kAttackers);
  siege.sim.advance(5s);
  CHECK(siege.run_until([&] { return siege.server.connections() == 0; }));
}

TEST_CASE("connections that say nothing are ended in their time") {
  Siege siege;
  siege.attack("");
  siege.sim.advance(9s);
  REQUIRE(siege.served());
  siege.sim.advance(2s);
  CHECK(siege.run_until([&] { return siege.server.connections() == 0; }));
}

TEST_CASE("what has no end is ended by its limit") {
  Siege siege;
  const std::string kilobyte(1000, 'x');
  const std::string chunked =
      "POST /size HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  CHECK(siege.flood("GET /", kilobyte, 10'000).status == 414);
  CHECK(siege.flood("GET / HTTP/1.1\r\nHost: a\r\nX: ", kilobyte, 10'000).status == 431);
  CHECK(siege.flood("GET / HTTP/1.1\r\nHost: a\r\n", "X: y\r\n", 10'000).status == 431);
  CHECK(siege.flood(chunked + "1;", kilobyte, 10'000).status == 400);
  CHECK(siege.flood(chunked + "0\r\n", "X: y\r\n", 100'000).status == 431);
  CHECK(siege.flood(chunked + "0\r\nX: ", kilobyte, 10'000).status == 431);
  CHECK(siege.flood(chunked, "000000000000000000000000", 10'000).status == 400);
}

TEST_CASE("50,000 fields end at the 101st, whatever their names") {
  Siege siege;
  // Names that collide in hashes that multiply by 31 or 33: there is no hash to collide in.
  std::string fields;
  for (int i = 0; i < 50'000; ++i) {
    for (int bit = 0; bit < 16; ++bit) fields += (i >> bit & 1) != 0 ? "Aa" : "BB";
    fields += ": 1\r\n";
  }
  const Reply reply = siege.flood("GET / HTTP/1.1\r\nHost: a\r\n", fields, 1);
  CHECK(reply.status == 431);
}

TEST_CASE("3 MB of one-byte chunks are a body like any other") {
  Siege siege;
  std::string chunks;
  chunks.reserve(3'000'000);
  for (int i = 0; i < 500'000; ++i) chunks += "1\r\nx\r\n";
  const Reply reply =
      siege.flood("POST /size HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
                  chunks + "0\r\n\r\n", 1);
  CHECK(reply.status == 200);
  CHECK(reply.body == "500000");
}

// The descriptors on the server's side of its connections, once more: what a child process holds
// from its fork on until it has closed them.
std::vector<int> inherited(std::uint16_t port) {
  std::vector<int> found;
  for (int fd = 3; fd < 1024; ++fd) {
    sockaddr_in own{};
    sockaddr_in peer{};
    socklen_t own_size = sizeof own;
    socklen_t peer_size = sizeof peer;
    const bool connected = ::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &own_size) == 0 &&
                           ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) == 0;
    if (connected && ntohs(own.sin_port) == port) found.push_back(fd);
  }
  for (int& fd : found) fd = ::dup(fd);
  return found;
}

TEST_CASE("a connection that ends is forgotten, also if a child process still holds its socket") {
  Siege siege;
  siege.attack("");
  const std::vector<int> copies = inherited(siege.server.port());
  CHECK(copies.size() == kAttackers);
  siege.sim.advance(11s);
  CHECK(siege.run_until([&] { return siege.server.connections() == 0; }));
  for (RawClient& attacker : siege.attackers) attacker.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  siege.attackers.clear();
  siege.settle();
  CHECK(siege.served());
  for (const int copy : copies) ::close(copy);
}

TEST_CASE("with 64 descriptors a server serves whom it can, looks again now and then, and heals") {
  Siege siege;
  std::deque<RawClient> clients(100);  // their sockets are open already
  rlimit before{};
  const auto pauses = [&] {
    return siege.metric(R"(aiserve_http_accept_pauses_total{cause="descriptors",server="http"})");
  };
  // Also for UBSan's sake, which opens a pipe when it meets a type for the first time.
  CHECK(pauses() == "0");
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit few{static_cast<rlim_t>(clients.back().descriptor()) + 20, before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &few);
  for (RawClient& client : clients) {
    client.connect(siege.server.port());
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  REQUIRE(siege.run_until([&] { return pauses() == "1"; }));
  siege.settle();
  CHECK(pauses() == "1");
  siege.sim.advance(1s);
  CHECK(pauses() == "5");  // four looks a second, however many wait
  const std::size_t served = siege.server.connections();
  CHECK(served >= 10);
  CHECK(served < 64);
  CHECK(clients[0].reply().body == "alive");
  // Who leaves makes room for who waits.
  while (!clients.empty()) {
    for (int i = 0; i < 10; ++i) clients.pop_front();
    CHECK(siege.run_until([&] {
      siege.sim.advance(250ms);
      return clients.empty() || answered(clients.front());
    }));
    CHECK((clients.empty() || clients.front().reply().body == "alive"));
  }
  ::setrlimit(RLIMIT_NOFILE, &before);
  siege.sim.advance(1s);
}

}  // namespace
}  // namespace aiserve::http
