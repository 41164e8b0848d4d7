#include <aiserve/cache/cache.hpp>
#include <aiserve/core/telemetry.hpp>
#include <aiserve/http/authenticate.hpp>
#include <aiserve/http/health.hpp>
#include <aiserve/http/jobs.hpp>
#include <aiserve/http/metrics.hpp>
#include <aiserve/http/rate_limiter.hpp>
#include <aiserve/http/server.hpp>
#include <aiserve/http/status.hpp>
#include <aiserve/jobs/job_queue.hpp>
#include <aiserve/security/jwt_verifier.hpp>
#include <aiserve/serving/batcher.hpp>
#include <aiserve/sqlite/sqlite_job_store.hpp>
#include <aiserve/torch/torch_model.hpp>

using namespace aiserve;
using namespace std::chrono_literals;

int main() try {
  Telemetry telemetry({.service = "classifier"});
  Runtime runtime(
      {.io_threads = 2, .blocking_threads = 4, .drain_timeout = 20s, .telemetry = &telemetry});

  TorchModel model({.path = "classifier.pt", .instances = 2});
  Batcher batcher(runtime, model, {.latency_goal = 20ms, .max_queue = 1024});
  Cache cache(runtime, {.capacity = 256_MiB, .ttl = 10min});
  SqliteJobStore store(runtime, {.path = "classifier.db"});
  JobQueue jobs(runtime, store, {.concurrency = 8, .max_attempts = 5, .lease = 30s});
  JwtVerifier tokens(
      runtime,
      {.issuer = "https://id.example", .audience = "classifier", .jwks_path = "jwks.json"});
  RateLimiter limiter({.per_second = 100, .burst = 200});

  auto classify = cache.memoize<Tensor>(
      "classifier",
      [&](const Context& flight, const Tensor& image) { return batcher.infer(flight, image); });
  jobs.on("classify", [&](const Context& ctx, const Job& job) -> Async<JobOutcome> {
    co_return JobOutcome::from(co_await classify(ctx, job.input()));
  });

  http::Server server(runtime,
                      {.port = 8443, .tls = {.certificate = "tls.crt", .private_key = "tls.key"}});
  server.before(http::authenticate(tokens)).before(http::limit(limiter));
  server.post("/v1/classify",
              [&](const Context& ctx, const http::Request& request) -> Async<http::Response> {
                const Tensor image = request.tensor().value();
                co_return http::json((co_await classify(ctx, image)).value());
              });
  server.post("/v1/jobs", http::submit(jobs, "classify"))
      .get("/v1/jobs/{id}", http::job_status(jobs));

  http::Server admin(runtime, {.address = "127.0.0.1", .port = 9090});
  admin.get("/metrics", http::metrics(telemetry))
      .get("/health/ready", http::ready(runtime))
      .get("/status", http::status(runtime));
  return runtime.run();
} catch (const ConfigError& error) {
  return report(error);  // one line on stderr, exit status 2
}
