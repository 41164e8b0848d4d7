// http_typed PORT: typed handlers as bench http measures them. One I/O thread, logging as it comes.
//   POST /echo   takes the JSON of 200 B apart, member by member, and puts it together again
#include <aiserve/http/server.hpp>
#include <aiserve/http/typed.hpp>

#include <cstdlib>
#include <string>
#include <vector>

namespace http = aiserve::http;
using aiserve::Context;

namespace {

// What http_load posts; the same as in rivals/fastapi/echo.py.
struct Inference {
  std::string model;
  std::string tenant;
  int top_k = 0;
  std::vector<double> inputs;
};
void describe(http::Description<Inference>& d) {
  d.required("model", &Inference::model)
      .required("tenant", &Inference::tenant)
      .required("top_k", &Inference::top_k)
      .required("inputs", &Inference::inputs);
}

Inference echo(const Context&, Inference in) { return in; }

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  aiserve::Runtime runtime;
  http::Server server(runtime, {.address = "127.0.0.1",
                                .port = static_cast<std::uint16_t>(std::atoi(argv[1])),
                                .max_connections = 20'000});
  server.post("/echo", http::typed(echo));
  return runtime.run();
}
