// Two tenants: whatever route of the jobs one asks with the other's ids, it is as if they never
// were.
#include <map>
#include <string>

#include <doctest/doctest.h>

#include "aiserve/http/jobs.hpp"
#include "aiserve/jobs/job_queue.hpp"
#include "aiserve/jobs/memory_job_store.hpp"
#include "unit/http/in_process.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using http::TestClient;

namespace {

// All handlers there are, for whom X-Tenant names.
struct TwoTenants : http::InProcess {
  TwoTenants() {
    jobs.on("echo", [this](const Context& ctx, const Job& job) -> Async<JobOutcome> {
      const Result<void> slept = co_await sleep(ctx, takes);
      if (!slept) co_return slept.error();
      co_return JobOutcome::done(job.input());
    });
    server.before([](Context& ctx, const http::Request& request) {
      const TenantId id(request.header("X-Tenant"));
      ctx = ctx.with_tenant(Tenant::make({.id = id}).value());
    });
    server.post("/v1/jobs", http::submit(jobs, "echo"))
        .get("/v1/jobs", http::job_list(jobs))
        .get("/v1/jobs/{id}", http::job_status(jobs))
        .get("/v1/jobs/{id}/result", http::job_result(jobs))
        .del("/v1/jobs/{id}", http::job_cancel(jobs));
    sim.start();
  }
  TestClient::Reply ask(const std::string& tenant, const std::string& line,
                        const std::string& body = {}) {
    const std::size_t space = line.find(' ');
    return client.request(line.substr(0, space), line.substr(space + 1), body,
                          {{"X-Tenant", tenant}, {"Idempotency-Key", "the same"}});
  }
  std::string submit(const std::string& tenant) {
    const TestClient::Reply reply = ask(tenant, "POST /v1/jobs", "of " + tenant);
    REQUIRE(reply.status == 202);
    const std::string location(reply.header("Location"));
    return location.substr(location.rfind('/') + 1);
  }
  std::string state_of(const std::string& id) {
    const std::string body = ask("theirs", "GET /v1/jobs/" + id).body;
    const std::size_t at = body.find("\"state\":\"") + 9;
    return body.substr(at, body.find('"', at) - at);
  }

  MemoryJobStore store{{.clock = &sim.clock()}};
  Duration takes = 10s;
  JobQueue jobs{sim.runtime(), store};
};

std::string with_id(std::string route, const std::string& id) {
  const std::size_t at = route.find("{id}");
  return at == std::string::npos ? route : route.replace(at, 4, id);
}

std::string line_of(const http::RouteInfo& route) {
  return std::string(name(route.method)) + " " + route.pattern;
}

// What each route must say to a stranger; every route of the server is here.
enum class Stranger { not_found, sees_only_own, makes_own };
const std::map<std::string, Stranger> kRoutes{
    {"DELETE /v1/jobs/{id}", Stranger::not_found},
    {"GET /v1/jobs", Stranger::sees_only_own},
    {"GET /v1/jobs/{id}", Stranger::not_found},
    {"GET /v1/jobs/{id}/result", Stranger::not_found},
    {"POST /v1/jobs", Stranger::makes_own},
};

void check_as_stranger(TwoTenants& service, const std::string& route, const std::string& their_id) {
  CAPTURE(route);
  const auto known = kRoutes.find(route);
  REQUIRE_MESSAGE(known != kRoutes.end(), "a route without a case of two tenants");
  const TestClient::Reply reply = service.ask("stranger", with_id(route, their_id), "mine");
  switch (known->second) {
    case Stranger::not_found: {
      CHECK(reply.status == 404);
      // Not told apart from a job that never was.
      const TestClient::Reply none = service.ask("stranger", with_id(route, "999999"), "mine");
      CHECK(none.status == 404);
      break;
    }
    case Stranger::sees_only_own:
      CHECK(reply.status == 200);
      CHECK(reply.body.find('"' + their_id + '"') == std::string::npos);
      break;
    case Stranger::makes_own:
      CHECK(reply.status == 202);
      CHECK(reply.body.find('"' + their_id + '"') == std::string::npos);
      break;
  }
}

}  // namespace

TEST_CASE("a stranger who asks every route with another tenant's ids learns and changes nothing") {
  TwoTenants service;
  const std::string running = service.submit("theirs");
  CHECK(service.state_of(running) == "running");
  for (const http::RouteInfo& route : service.server.routes()) {
    check_as_stranger(service, line_of(route), running);
  }
  CHECK(service.state_of(running) == "running");
  service.sim.advance(10s);
  CHECK(service.state_of(running) == "completed");
  CHECK(service.ask("theirs", "GET /v1/jobs/" + running + "/result").body == "of theirs");
  for (const http::RouteInfo& route : service.server.routes()) {
    check_as_stranger(service, line_of(route), running);
  }
  CHECK(service.ask("theirs", "GET /v1/jobs/" + running + "/result").body == "of theirs");
}

TEST_CASE("every case of two tenants is a route, and those with ids are all closed to strangers") {
  TwoTenants service;
  std::size_t routes = 0;
  for (const http::RouteInfo& route : service.server.routes()) {
    const auto known = kRoutes.find(line_of(route));
    REQUIRE_MESSAGE(known != kRoutes.end(), line_of(route));
    const bool has_id = route.pattern.find('{') != std::string::npos;
    CHECK((known->second == Stranger::not_found) == has_id);
    ++routes;
  }
  CHECK(routes == kRoutes.size());
}
