// What tests/clients/run.sh talks to: server FOLDER serves its files and a route of every kind, on
// a free port, which it logs.
#include <aiserve/http/multipart.hpp>
#include <aiserve/http/server.hpp>

namespace http = aiserve::http;

int main(int, char** argv) {
  aiserve::Runtime runtime({.io_threads = 2});
  http::Server server(
      runtime,
      {.address = "127.0.0.1", .port = 0, .max_body = 8 << 20, .compression = {.responses = true}});
  server.files("/files", argv[1])
      .get("/hello",
           [](const aiserve::Context&, const http::Request&) { return http::text("hello\n"); })
      .get("/later",
           [](const aiserve::Context& ctx, const http::Request&) -> aiserve::Async<http::Response> {
             (void)co_await aiserve::sleep(ctx, std::chrono::milliseconds(1));
             co_return http::text("later\n");
           })
      .get("/text", [](const aiserve::Context&,
                       const http::Request&) { return http::text(std::string(100'000, 't')); })
      .post("/echo", [](const aiserve::Context&,
                        const http::Request& request) { return http::bytes(request.body_bytes()); })
      .post("/upload", [](const aiserve::Context&, const http::Request& request) {
        std::string said;
        for (const http::Part& part : http::multipart(request).value()) {
          said += part.name + " " + part.filename.value_or("-") + " " +
                  std::to_string(part.body.size()) + "\n";
        }
        return http::text(std::move(said));
      });
  return runtime.run();
}
