#include "aiserve/http/jobs.hpp"

#include <array>
#include <memory>
#include <set>
#include <vector>

#include <doctest/doctest.h>
#include <poll.h>

#include "aiserve/jobs/job_queue.hpp"
#include "aiserve/jobs/memory_job_store.hpp"
#include "unit/http/client.hpp"
#include "unit/http/simulation.hpp"
#include "unit/jobs/object_shelf.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using http::Reply;

namespace {

/// A service on simulated time whose tenant is what the client says in X-Tenant.
struct Service {
  Service() {
    jobs.on("echo", [this](const Context& ctx, const Job& job) -> Async<JobOutcome> {
      ++runs;
      const Result<void> slept = co_await sleep(ctx, 10s);
      if (!slept) co_return slept.error();
      if (job.input().text() == "bad") co_return Error(Errc::invalid_argument, "no \"good\"");
      co_return JobOutcome::done(job.input());
    });
    web.server
        .before([](Context& ctx, const http::Request& request) {
          const TenantId id(request.header("X-Tenant"));
          ctx = ctx.with_tenant(Tenant::make({.id = id}).value());
        })
        .post("/v1/jobs", http::submit(jobs, "echo"))
        .get("/v1/jobs", http::job_list(jobs))
        .get("/v1/jobs/{id}", http::job_status(jobs))
        .get("/v1/jobs/{id}/result", http::job_result(jobs, "text/plain"))
        .del("/v1/jobs/{id}", http::job_cancel(jobs));
    web.sim.start();
    client.connect(web.server.port());
  }

  Reply ask(std::string_view line, std::string_view body = {}, std::string_view fields = {},
            std::string_view tenant = "one") {
    std::string request(line);
    request.append(" HTTP/1.1\r\nHost: a\r\nX-Tenant: ").append(tenant).append("\r\n");
    request.append(fields);
    request += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    client.send(request.append(body));
    REQUIRE(web.run_until([this] { return client.pending(); }));
    return client.reply();
  }
  /// Its path.
  std::string submit(std::string_view body) {
    const Reply reply = ask("POST /v1/jobs", body);
    REQUIRE(reply.status == 202);
    return location(reply);
  }
  static std::string location(const Reply& reply) {
    const std::size_t at = reply.head.find("Location: ") + 10;
    return reply.head.substr(at, reply.head.find('\r', at) - at);
  }
  static bool has(const Reply& reply, std::string_view text) {
    return (reply.head + reply.body).find(text) != std::string::npos;
  }

  http::Simulation web;
  MemoryJobStore store{{.clock = &web.sim.clock()}};
  int runs = 0;
  testing::ObjectShelf shelf{web.sim.clock()};
  JobQueue jobs{web.sim.runtime(), store, {.offload = {.objects = &shelf, .above = 1024}}};
  http::RawClient client;
};

}  // namespace

TEST_CASE("a job is submitted, watched and fetched over HTTP") {
  Service service;
  const std::string path = service.submit("hello");
  CHECK(path.starts_with("/v1/jobs/"));
  const Reply early = service.ask("GET " + path);
  CHECK(early.status == 200);
  CHECK(Service::has(early, R"("state":"running","attempt":1)"));
  CHECK(Service::has(early, R"("created_at":"2026-01-01T00:00:)"));
  CHECK_FALSE(Service::has(early, "finished_at"));
  const Reply soon = service.ask("GET " + path + "/result");
  CHECK(soon.status == 409);
  CHECK(Service::has(soon, "Retry-After: 1"));
  service.web.sim.advance(11s);
  CHECK(Service::has(service.ask("GET " + path), R"("state":"completed")"));
  const Reply result = service.ask("GET " + path + "/result");
  CHECK(result.status == 200);
  CHECK(result.body == "hello");
  CHECK(Service::has(result, "text/plain"));
}

TEST_CASE("a job's status does not read its result, and needs it not") {
  Service service;
  const std::string path = service.submit(std::string(2000, 'x'));
  service.web.sim.advance(11s);
  const int gets = service.shelf.gets;
  CHECK(Service::has(service.ask("GET " + path), R"("state":"completed")"));
  CHECK(service.shelf.gets == gets);
  CHECK(service.ask("GET " + path + "/result").body == std::string(2000, 'x'));
  service.shelf.objects.clear();
  CHECK(service.ask("GET " + path).status == 200);
  CHECK(service.ask("GET " + path + "/result").status == 500);
}

TEST_CASE("the same Idempotency-Key is the same job, of the same tenant only") {
  Service service;
  const char* key = "Idempotency-Key: \"order-17\"\r\n";
  const std::string first = Service::location(service.ask("POST /v1/jobs", "a", key));
  CHECK(Service::location(service.ask("POST /v1/jobs", "a", key)) == first);
  const char* bare = "Idempotency-Key: order-17\r\n";
  CHECK(Service::location(service.ask("POST /v1/jobs", "a", bare)) == first);
  CHECK(Service::location(service.ask("POST /v1/jobs", "a", key, "two")) != first);
  service.web.sim.advance(11s);
  CHECK(Service::location(service.ask("POST /v1/jobs", "a", key)) == first);
  service.web.sim.advance(11s);
  CHECK(service.runs == 2);
}

TEST_CASE("an Idempotency-Key is not used for two requests") {
  Service service;
  const char* key = "Idempotency-Key: order-17\r\n";
  const std::string first = Service::location(service.ask("POST /v1/jobs", "a", key));
  const Reply other = service.ask("POST /v1/jobs", "b", key);
  CHECK(other.status == 422);
  CHECK(Service::has(other, "another request"));
  service.web.sim.advance(11s);
  CHECK(service.ask("POST /v1/jobs", "", key).status == 422);
  CHECK(service.ask("POST /v1/jobs", "b", key, "two").status == 202);
  CHECK(Service::location(service.ask("POST /v1/jobs", "a", key)) == first);
  // The job is gone, its key is not: the key alone tells.
  const WallTime now = service.web.sim.clock().wall_now();
  REQUIRE(
      block_on(service.web.sim.runtime(), service.store.prune(Context::background(), now + 1s, 10))
          .value() == 1);
  CHECK(Service::location(service.ask("POST /v1/jobs", "b", key)) == first);
}

TEST_CASE("one Idempotency-Key that is sent 64 times at once is one job, told to all") {
  Service service;
  std::vector<std::unique_ptr<http::RawClient>> clients;
  for (int i = 0; i < 64; ++i) {
    clients.push_back(std::make_unique<http::RawClient>());
    clients.back()->connect(service.web.server.port());
    clients.back()->send(
        "POST /v1/jobs HTTP/1.1\r\nHost: a\r\nX-Tenant: one\r\nIdempotency-Key: k\r\n"
        "Content-Length: 2\r\n\r\nin");
  }
  std::set<std::string> locations;
  for (const auto& client : clients) {
    REQUIRE(service.web.run_until([&client] { return client->pending(); }));
    const Reply reply = client->reply();
    CHECK(reply.status == 202);
    locations.insert(Service::location(reply));
  }
  CHECK(locations.size() == 1);
  service.web.sim.advance(11s);
  CHECK(service.runs == 1);
}

TEST_CASE("bad keys, ids and parameters are refused") {
  Service service;
  CHECK(service.ask("POST /v1/jobs", "a", "Idempotency-Key: \r\n").status == 422);
  const std::string longest = "Idempotency-Key: " + std::string(256, 'k') + "\r\n";
  CHECK(service.ask("POST /v1/jobs", "a", longest).status == 422);
  for (const char* id : {"0", "-1", "x", "1x", "99999999999999999999", "17"}) {
    CHECK(service.ask("GET /v1/jobs/" + std::string(id)).status == 404);
    CHECK(service.ask("GET /v1/jobs/" + std::string(id) + "/result").status == 404);
    CHECK(service.ask("DELETE /v1/jobs/" + std::string(id)).status == 404);
  }
  for (const char* query : {"limit=0", "limit=101", "limit=x", "state=gone", "before=x"}) {
    CHECK(service.ask("GET /v1/jobs?" + std::string(query)).status == 422);
  }
}

TEST_CASE("another tenant's job is not there") {
  Service service;
  const std::string path = service.submit("secret");
  CHECK(service.ask("GET " + path, {}, {}, "two").status == 404);
  CHECK(service.ask("GET " + path + "/result", {}, {}, "two").status == 404);
  CHECK(service.ask("DELETE " + path, {}, {}, "two").status == 404);
  CHECK(service.ask("GET /v1/jobs", {}, {}, "two").body == R"({"jobs":[]})");
}

TEST_CASE("a job that runs is asked to end, one that has its outcome says so") {
  Service service;
  const std::string path = service.submit("x");
  const Reply asked = service.ask("DELETE " + path);
  CHECK(asked.status == 202);
  CHECK(Service::has(asked, R"("cancel_requested":true)"));
  CHECK(Service::has(service.ask("GET " + path), R"("state":"cancelled")"));
  CHECK(service.ask("DELETE " + path).status == 409);
  const Reply result = service.ask("GET " + path + "/result");
  CHECK(result.status == 409);
  CHECK_FALSE(Service::has(result, "Retry-After"));
  service.jobs.pause();
  CHECK(service.ask("DELETE " + service.submit("y")).status == 200);
}

TEST_CASE("a job that failed tells its error as JSON") {
  Service service;
  const std::string path = service.submit("bad");
  service.web.sim.advance(11s);
  const Reply status = service.ask("GET " + path);
  CHECK(Service::has(status, R"("state":"discarded")"));
  CHECK(Service::has(status, R"("error":"invalid_argument: no \"good\"")"));
}

TEST_CASE("jobs are listed page by page, latest first") {
  Service service;
  service.jobs.pause();
  std::vector<std::string> paths;
  for (int i = 0; i < 5; ++i) paths.push_back(service.submit("x"));
  const auto id = [&](std::size_t i) { return "\"id\":\"" + paths[i].substr(9) + '"'; };
  const Reply first = service.ask("GET /v1/jobs?limit=3&state=available");
  CHECK(Service::has(first, id(4)));
  CHECK(Service::has(first, id(2)));
  CHECK_FALSE(Service::has(first, id(1)));
  const std::string next = "\"next\":\"" + paths[2].substr(9) + '"';
  REQUIRE(Service::has(first, next));
  const Reply rest = service.ask("GET /v1/jobs?limit=3&before=" + paths[2].substr(9));
  CHECK(Service::has(rest, id(1)));
  CHECK(Service::has(rest, id(0)));
  CHECK_FALSE(Service::has(rest, "next"));
  CHECK(service.ask("GET /v1/jobs?state=completed").body == R"({"jobs":[]})");
}

TEST_CASE("a full queue is 503 with a time to come back") {
  http::Simulation web;
  MemoryJobStore store({.clock = &web.sim.clock()});
  JobQueue jobs(web.sim.runtime(), store, {.concurrency = 0, .max_waiting = 1});
  web.server.post("/v1/jobs", http::submit(jobs, "a"));
  web.sim.start();
  http::RawClient client(web.server.port());
  const auto post = [&] {
    client.send("POST /v1/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    REQUIRE(web.run_until([&] { return client.pending(); }));
    return client.reply();
  };
  CHECK(post().status == 202);
  const Reply full = post();
  CHECK(full.status == 503);
  CHECK(Service::has(full, "Retry-After: "));
}
