#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/deaf_port.hpp"
#include "tuner/http_target.hpp"

using namespace tuner;
using aiserve::testing::DeafPort;

namespace {

// Serves one connection after the other; says of every request how to answer.
class Server {
 public:
  using Respond = std::string (*)(int request);

  explicit Server(Respond respond) : respond_(respond) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener_, 16) == 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~Server() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }

  HttpTargetOptions options() const {
    HttpTargetOptions made;
    made.url = {"127.0.0.1", port_, "/"};
    made.connections = 1;
    made.requests = {{post_request(made.url, "text/plain", "body")}};
    return made;
  }
  int connections() const noexcept { return connections_.load(); }

 private:
  void run() {
    while (true) {
      const int fd = ::accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      ++connections_;
      serve(fd);
      ::close(fd);
    }
  }
  void serve(int fd) {
    std::string received;
    char buffer[4096];
    for (ssize_t size = 0; (size = ::recv(fd, buffer, sizeof buffer, 0)) > 0;) {
      received.append(buffer, static_cast<std::size_t>(size));
      for (std::size_t end = 0; (end = received.find("\r\n\r\nbody")) != std::string::npos;) {
        received.erase(0, end + 8);
        const std::string response = respond_(requests_++);
        ::send(fd, response.data(), response.size(), MSG_NOSIGNAL);
        if (response.empty() || response.find("close") != std::string::npos) return;
      }
    }
  }

  Respond respond_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  int requests_ = 0;
  std::thread thread_;
};

std::string ok() { return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"; }

Outcome ask(HttpTarget& target) {
  const auto outcome = std::make_shared<std::promise<Outcome>>();
  target.send({}, [outcome](const Answer& answer) { outcome->set_value(answer.outcome); });
  return outcome->get_future().get();
}

}  // namespace

TEST_CASE("requests go over one kept connection, one after the other") {
  Server server([](int) { return ok(); });
  std::atomic<int> answered{0};
  std::promise<void> all;
  HttpTarget target(server.options());
  for (int i = 0; i < 100; ++i) {
    target.send({}, [&](const Answer& answer) {
      CHECK(answer.outcome == Outcome::ok);
      if (++answered == 100) all.set_value();
    });
  }
  all.get_future().wait();
  CHECK(server.connections() == 1);
}

TEST_CASE("a connection that the service closes is opened again") {
  Server server([](int request) {
    return request == 1 ? "HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
                        : ok();
  });
  HttpTarget target(server.options());
  CHECK(ask(target) == Outcome::refused);
  CHECK(ask(target) == Outcome::ok);
  CHECK(server.connections() == 2);
}

TEST_CASE("a connection lost without an answer fails its request and no other") {
  Server server([](int request) { return request == 1 ? std::string() : ok(); });
  HttpTarget target(server.options());
  CHECK(ask(target) == Outcome::failed);
  CHECK(ask(target) == Outcome::ok);
}

TEST_CASE("a service that does not answer the first request with 2xx is no target") {
  Server server(
      [](int) { return std::string("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"); });
  CHECK_THROWS_AS(HttpTarget(server.options()), std::runtime_error);
}

TEST_CASE("nobody listening is no target") {
  const DeafPort nobody;
  HttpTargetOptions options;
  options.url = {"127.0.0.1", nobody.port(), "/"};
  options.connections = 1;
  options.requests = {{post_request(options.url, "text/plain", "body")}};
  CHECK_THROWS_AS(HttpTarget{options}, std::runtime_error);
}
