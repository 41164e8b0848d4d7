#include <aiserve/http/server.hpp>

namespace http = aiserve::http;

int main() {
  aiserve::Runtime runtime;
  http::Server server(runtime, {.port = 8080});
  server.get("/hello/{name}", [](const aiserve::Context&, const http::Request& request) {
    return http::text("Hello, " + std::string(request.param("name")) + "!\n");
  });
  return runtime.run();  // until SIGINT or SIGTERM, then drains
}
