// batching.fastapi.*: what a Python team writes today, FastAPI around an asyncio micro-batcher,
// over the same MLP and the same JSON, each in a process of its own; 64 connections, one request on
// each.
#include <memory>
#include <random>
#include <stdexcept>

#include <fmt/core.h>

#include "batching/groups.hpp"
#include "batching/offered.hpp"
#include "batching/script_models.hpp"
#include "harness/process.hpp"
#include "tuner/closed_loop.hpp"
#include "tuner/http_target.hpp"

namespace bench {
namespace {

constexpr int kConnections = 64;
constexpr const char* kPython = "/usr/bin/python3";
constexpr const char* kNeeds = "import fastapi, uvicorn, torch";

std::string body() {
  std::mt19937_64 random(1);
  std::string text = "{\"input\":[";
  for (int i = 0; i < 784; ++i) {
    text +=
        fmt::format("{}{:.4f}", i == 0 ? "" : ",", static_cast<double>(random() % 10'000) / 1e4);
  }
  return text + "]}";
}

std::unique_ptr<tuner::HttpTarget> client(std::uint16_t port) {
  tuner::HttpTargetOptions options;
  options.url = {"127.0.0.1", port, "/predict"};
  options.connections = kConnections;
  options.requests = {{tuner::post_request(options.url, "application/json", body())}};
  return std::make_unique<tuner::HttpTarget>(std::move(options));
}

struct Service {
  Service(const Command& command, const Environment& environment, std::uint16_t port)
      : server(command, environment) {
    server.wait_for_port(port);
    target = client(port);
  }
  Server server;
  std::unique_ptr<tuner::HttpTarget> target;
};

struct State {
  std::unique_ptr<Service> ours;
  std::unique_ptr<Service> fastapi;
};

void begin(State& state) {
  if (run_program({kPython, "-c", kNeeds}).status != 0) {
    throw std::runtime_error("python3-fastapi, uvicorn or python3-torch is not installed");
  }
  const std::string model = script_models().mlp;
  const std::uint16_t port = free_port();
  state.ours = std::make_unique<Service>(
      Command{BENCH_JSON_SERVER, std::to_string(port), model, "32"}, Environment{}, port);
  const std::uint16_t other = free_port();
  state.fastapi = std::make_unique<Service>(
      Command{kPython, "-m", "uvicorn", "batch:app", "--app-dir", BENCH_RIVALS "/fastapi", "--port",
              std::to_string(other), "--no-access-log"},
      Environment{{"MODEL", model}, {"MAXB", "32"}, {"WAIT_MS", "2"}}, other);
}

tuner::LoadResult load(Service& service, double seconds) {
  const auto measured = static_cast<tuner::Nanos>(seconds * 1e9);
  tuner::LoadResult result =
      tuner::closed_loop(*service.target, kConnections, 300'000'000, measured);
  if (result.all().failed != 0) throw std::runtime_error("requests failed");
  return result;
}

void round(Sample& sample, State& state, double seconds) {
  const tuner::LoadResult theirs = load(*state.fastapi, seconds);
  const tuner::LoadResult ours = load(*state.ours, seconds);
  sample.set("batching.fastapi.throughput_ratio", ours.per_second() / theirs.per_second());
  sample.set("batching.fastapi.per_s", theirs.per_second());
  sample.set("batching.fastapi.ours_per_s", ours.per_second());
  sample.set("batching.fastapi.p99_ms", milliseconds(theirs.all().latency, 0.99));
  sample.set("batching.fastapi.ours_p99_ms", milliseconds(ours.all().latency, 0.99));
}

}  // namespace

std::vector<Group> fastapi_groups(const Options& options) {
  const auto state = std::make_shared<State>();
  const double seconds = options.quick ? 2 : 5;
  return {{.name = "batching.fastapi",
           .keys = {{.name = "batching.fastapi.throughput_ratio", .unit = "ratio"},
                    {.name = "batching.fastapi.per_s", .unit = "/s"},
                    {.name = "batching.fastapi.ours_per_s", .unit = "/s"},
                    {.name = "batching.fastapi.p99_ms", .unit = "ms"},
                    {.name = "batching.fastapi.ours_p99_ms", .unit = "ms"}},
           .begin = [state] { begin(*state); },
           .round = [=](Sample& sample) { round(sample, *state, seconds); },
           .end = [state] { *state = {}; }}};
}

}  // namespace bench
