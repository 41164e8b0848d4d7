// http_bare PORT: the server that bench http measures. One I/O thread, logging as it comes.
//   POST /echo       a plain handler that sends the body back
//   GET /plaintext   a coroutine that completes at once
#include <aiserve/http/server.hpp>

#include <cstdlib>

namespace http = aiserve::http;
using aiserve::Async;
using aiserve::Context;

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  aiserve::Runtime runtime;
  http::Server server(
      runtime, {.address = "127.0.0.1", .port = static_cast<std::uint16_t>(std::atoi(argv[1]))});
  server.post("/echo", [](const Context&, const http::Request& request) {
    const aiserve::ByteView body = request.body();
    return http::json(std::string(reinterpret_cast<const char*>(body.data()), body.size()));
  });
  server.get("/plaintext", [](const Context&, const http::Request&) -> Async<http::Response> {
    co_return http::text("Hello, World!");
  });
  return runtime.run();
}
