// http_bare PORT [CERTIFICATE KEY]: the server that bench http measures. One I/O thread, logging as
// it comes.
//   POST /echo        a plain handler that sends the body back
//   GET /plaintext    a coroutine that completes at once
//   GET /suspending   one that suspends once and is resumed through its thread's inbox
#include <aiserve/http/server.hpp>

#include <cstdlib>

#include "core/operation.hpp"

namespace http = aiserve::http;
using aiserve::Async;
using aiserve::Context;
using aiserve::detail::Operation;

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
  server.get("/suspending", [&](const Context&, const http::Request&) -> Async<http::Response> {
    const auto operation = aiserve::detail::make_intrusive<Operation>();
    operation->bind(&runtime.core());
    operation->settle(Operation::Outcome::completed);
    co_await operation->wait();
    co_return http::text("Hello, World!");
  });
  return runtime.run();
}
