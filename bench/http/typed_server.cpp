// http_typed PORT [JWKS]: typed handlers as bench http measures them. One I/O thread, logging as it
// comes.
//   POST /echo        takes the JSON of 200 B apart, member by member, and puts it together again
//   POST /items/{id}  the same in a coroutine, behind all that a service has in front of it: for
//                     who shows a token that the keys in JWKS verify, rate limited by tenant, and
//                     a span of each request whose caller is traced
#include <aiserve/core/telemetry.hpp>
#include <aiserve/http/authenticate.hpp>
#include <aiserve/http/rate_limiter.hpp>
#include <aiserve/http/server.hpp>
#include <aiserve/http/typed.hpp>
#include <aiserve/security/jwt_verifier.hpp>

#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace http = aiserve::http;
using aiserve::Async;
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

struct Item {
  std::int64_t id = 0;
  std::string model;
  std::string tenant;
  int top_k = 0;
  std::vector<double> inputs;
};
void describe(http::Description<Item>& d) {
  d.path("id", &Item::id)
      .required("model", &Item::model)
      .required("tenant", &Item::tenant)
      .required("top_k", &Item::top_k)
      .required("inputs", &Item::inputs);
}

Async<Inference> infer(const Context&, Item in) {
  Inference out{std::move(in.model), std::move(in.tenant), in.top_k, std::move(in.inputs)};
  co_return out;
}

// Spans are made, gathered and let go: what is behind the exporter is another process's CPU.
aiserve::TelemetryOptions traced() {
  aiserve::TelemetryOptions options;
  options.span_exporter = [](std::span<const aiserve::SpanRecord>) {};
  options.span_queue = 1'000'000;
  options.trace_sample_ratio = 0;
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) return 2;
  aiserve::Telemetry telemetry(traced());
  aiserve::Runtime runtime({.telemetry = &telemetry});
  http::Server server(runtime, {.address = "127.0.0.1",
                                .port = static_cast<std::uint16_t>(std::atoi(argv[1])),
                                .max_connections = 20'000});
  server.post("/echo", http::typed(echo));
  std::optional<aiserve::JwtVerifier> tokens;
  aiserve::RateLimiter limiter({.per_second = 1e6, .burst = 1'000'000});
  if (argc == 3) {
    tokens.emplace(runtime, aiserve::JwtVerifierOptions{.issuer = "https://id.example",
                                                        .audience = "classifier",
                                                        .jwks_path = argv[2]});
    http::Hooks full;
    full.before(http::authenticate(*tokens)).before(http::limit(limiter));
    server.post("/items/{id}", http::typed(infer), {.hooks = full});
  }
  return runtime.run();
}
