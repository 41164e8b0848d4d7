// http_bare PORT [CERTIFICATE KEY]: the server that bench http measures. One I/O thread, logging as
// it comes.
//   POST /echo        a plain handler that sends the body back
//   GET /plaintext    a coroutine that completes at once
//   GET /suspending   one that suspends once and is resumed through its thread's inbox
//   GET /ws           a WebSocket whose callback sends each message back
//   GET /stream       64 MiB in pieces of 16 KiB, each made when it is written, through a
//                     stream_buffer of 256 KiB
#include <aiserve/http/server.hpp>
#include <aiserve/http/websocket.hpp>

#include <cstdlib>
#include <cstring>

#include "core/operation.hpp"

namespace http = aiserve::http;
using aiserve::Async;
using aiserve::Context;
using aiserve::Result;
using aiserve::detail::Operation;

namespace {

http::ServerOptions options_of(int argc, char** argv) {
  http::ServerOptions options;
  options.address = "127.0.0.1";
  options.port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  options.max_connections = 20'000;
  if (argc == 4) {
    options.tls.certificate = argv[2];
    options.tls.private_key = argv[3];
  }
  return options;
}

http::Response echo(const Context&, const http::Request& request) {
  const aiserve::ByteView body = request.body();
  return http::json(std::string(reinterpret_cast<const char*>(body.data()), body.size()));
}

Async<http::Response> plaintext(const Context&, const http::Request&) {
  co_return http::text("Hello, World!");
}

Async<void> stream(const Context&, const http::Request&, http::BodyWriter& out) {
  constexpr std::size_t kPiece = 16 * 1024;
  for (int i = 0; i < 4096; ++i) {
    aiserve::MutableBytes piece(kPiece);
    std::memset(piece.data(), 'x', kPiece);
    aiserve::Bytes bytes = std::move(piece).freeze();
    Result<void> sent = co_await out.write(std::move(bytes));
    if (!sent) co_return sent;
  }
  co_return aiserve::success();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 4) return 2;
  aiserve::Runtime runtime;
  http::Server server(runtime, options_of(argc, argv));
  server.post("/echo", echo);
  server.get("/plaintext", plaintext);
  server.get("/suspending", [&](const Context&, const http::Request&) -> Async<http::Response> {
    const auto operation = aiserve::detail::make_intrusive<Operation>();
    operation->bind(&runtime.core());
    operation->settle(Operation::Outcome::completed);
    co_await operation->wait();
    co_return http::text("Hello, World!");
  });
  server.get("/stream", stream, {.stream_buffer = 256 * 1024});
  server.websocket("/ws", [](http::WebSocket& socket, const http::MessageView& message) {
    (void)socket.send(message);
  });
  return runtime.run();
}
