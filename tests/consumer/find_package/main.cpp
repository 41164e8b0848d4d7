// Hello world as a host builds it from an installed aiserve, asked once over a plain socket.
#include <aiserve/http/authenticate.hpp>
#include <aiserve/http/server.hpp>
#include <aiserve/security/api_key_verifier.hpp>

#include <cstdio>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace http = aiserve::http;

namespace {

/// All that the server at `port` answers to `request` until it closes the connection.
std::string ask(std::uint16_t port, std::string_view request) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  peer.sin_port = htons(port);
  peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&peer), sizeof(peer)) == 0 &&
      ::send(fd, request.data(), request.size(), 0) == static_cast<ssize_t>(request.size())) {
    char buffer[4096];
    for (ssize_t n; (n = ::recv(fd, buffer, sizeof(buffer), 0)) > 0;) {
      answer.append(buffer, static_cast<std::size_t>(n));
    }
  }
  ::close(fd);
  return answer;
}

}  // namespace

int main() {
  aiserve::Runtime runtime;
  aiserve::ApiKeyVerifier keys(runtime);
  http::Server server(runtime, {.address = "127.0.0.1", .port = 0});
  server.before(http::authenticate(keys, {.required = false}));
  server.get("/hello/{name}", [](const aiserve::Context&, const http::Request& request) {
    return http::text("Hello, " + std::string(request.param("name")) + "!\n");
  });
  runtime.start();
  const std::string answer = ask(
      server.port(), "GET /hello/host HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  runtime.shutdown();

  const bool right =
      answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\nHello, host!\n");
  std::printf("%s\n", right ? "the server said hello" : answer.c_str());
  return right ? 0 : 1;
}
