// The names and label values that docs/batching.md and the alert rules use exist, and
// docs/batching.md leaves none of the Batcher's out.
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include <doctest/doctest.h>
#include <poll.h>

#include "aiserve/http/client.hpp"
#include "aiserve/http/metrics.hpp"
#include "aiserve/http/server.hpp"
#include "aiserve/jobs/job_queue.hpp"
#include "aiserve/jobs/memory_job_store.hpp"
#include "unit/http/certificates.hpp"
#include "unit/http/client.hpp"
#include "unit/serving/sim_bench.hpp"

using namespace aiserve;

namespace {

std::string read(const std::string& path) {
  std::ifstream file(std::string(AISERVE_ROOT "/") + path);
  REQUIRE_MESSAGE(file.good(), path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::set<std::string> matches(const std::string& text, const char* pattern, std::size_t group = 0) {
  std::set<std::string> found;
  const std::regex regex(pattern);
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it) {
    found.insert((*it)[group]);
  }
  return found;
}

// What a program with a Runtime, a Server, a JobQueue and a Batcher exports after one request of
// each.
std::string exported() {
  testing::SimBench bench;
  http::Server server(bench.sim.runtime(), {.address = "127.0.0.1", .port = 0});
  const http::CertificateFolder files;
  files.write("a", http::make_identity({.common_name = "a"}));
  const http::Server secure(bench.sim.runtime(), {.address = "127.0.0.1",
                                                  .port = 0,
                                                  .name = "secure",
                                                  .tls = {.certificate = files.file("a.crt"),
                                                          .private_key = files.file("a.key")}});
  const http::Client asks(bench.sim.runtime());
  MemoryJobStore store;
  JobQueue jobs(bench.sim.runtime(), store);
  jobs.on("a",
          [](const Context&, const Job&) -> Async<JobOutcome> { co_return JobOutcome::done(); });
  server.get("/metrics", http::metrics(bench.telemetry));
  bench.sim.start();
  bench.ask(testing::of_tenant("acme"), 1);
  http::RawClient client(server.port());
  client.send("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto answered = [&] {
    const std::string text = bench.telemetry.metrics().prometheus();
    return text.find("aiserve_http_requests_total{") != std::string::npos;
  };
  // The kernel may take a moment to hand bytes over; simulated time doesn't.
  for (int i = 0; i < 20'000 && !answered(); ++i) {
    bench.sim.run_until_idle();
    ::poll(nullptr, 0, 1);
  }
  REQUIRE(bench.outcomes.size() == 1);
  return bench.telemetry.metrics().prometheus();
}

const std::string& program() {
  static const std::string text = exported();
  return text;
}

std::set<std::string> families() { return matches(program(), R"(# TYPE (\w+))", 1); }
std::set<std::string> series() { return matches(program(), R"((^|\n)(aiserve_\w+)[ {])", 2); }

void check_names(const std::string& path, const std::set<std::string>& known) {
  const std::set<std::string> used =
      matches(read(path), R"(aiserve_(batcher|http|jobs|pool|event|spans|build)_\w+)");
  REQUIRE_FALSE(used.empty());
  for (const std::string& name : used) CHECK_MESSAGE(known.count(name) == 1, path << ": " << name);
}

}  // namespace

TEST_CASE("every metric that the alert rules read is exported") {
  check_names("docs/runbooks/alerts.yml", series());
}

TEST_CASE("every label value that the alert rules select is exported") {
  const std::set<std::string> known = matches(program(), R"re((\w+="[^"]*"))re", 1);
  const std::set<std::string> selectors =
      matches(read("docs/runbooks/alerts.yml"), R"re(\{(\w+!?=~?"[^"]*")\})re", 1);
  REQUIRE(selectors.size() >= 3);
  for (const std::string& selector : selectors) {
    const std::string label = selector.substr(0, selector.find_first_of("!="));
    const std::size_t quote = selector.find('"') + 1;
    const std::string values = selector.substr(quote, selector.size() - 1 - quote);
    for (const std::string& value : matches(values, R"([^|]+)")) {
      CHECK_MESSAGE(known.count(label + "=\"" + value + "\"") == 1, selector);
    }
  }
}

TEST_CASE("every metric in the documentation is exported") {
  std::set<std::string> known = families();
  known.merge(series());
  for (const char* page :
       {"docs/batching.md", "docs/client.md", "docs/http.md", "docs/jobs.md", "docs/websocket.md",
        "docs/operations.md", "docs/runbooks/certificates.md", "docs/runbooks/connections.md",
        "docs/runbooks/hung-instance.md", "docs/runbooks/job-store.md",
        "docs/runbooks/lease-losses.md", "docs/runbooks/padding-waste.md",
        "docs/runbooks/pool-exhausted.md", "docs/runbooks/queue-age.md",
        "docs/runbooks/shedding.md"}) {
    check_names(page, known);
  }
}

TEST_CASE("every metric of a Server and of a Client is in the documentation") {
  const std::string page =
      read("docs/operations.md") + read("docs/websocket.md") + read("docs/client.md");
  const std::set<std::string> http = matches(program(), R"(# TYPE (aiserve_http_\w+))", 1);
  REQUIRE(http.size() >= 10);
  for (const std::string& name : http) CHECK_MESSAGE(page.find('`' + name) != page.npos, name);
}

TEST_CASE("every metric of the Batcher is in the documentation") {
  const std::string page = read("docs/batching.md");
  const std::set<std::string> batcher = matches(program(), R"(# TYPE (aiserve_batcher_\w+))", 1);
  REQUIRE(batcher.size() > 10);
  for (const std::string& name : batcher) {
    CHECK_MESSAGE(page.find('`' + name) != std::string::npos, name);
  }
}
