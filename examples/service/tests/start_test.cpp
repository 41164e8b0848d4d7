// How the service starts, refuses to start, and ends.
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <latch>
#include <mutex>
#include <thread>

#include <doctest/doctest.h>

#include "running_service.hpp"

namespace {

using aiserve::http::RawClient;
using aiserve::http::Reply;
using aiserve::testing::ChildProcess;
using service::testing::model;
using service::testing::post;
using service::testing::program;
using service::testing::RunningService;

/// Starts the service where it can't; returns the one line that it leaves with.
std::string refusal(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), program());
  arguments.insert(arguments.end(), {"--log-level", "error"});
  ChildProcess child(arguments);
  CHECK(child.wait() == 2);
  CHECK(child.output().empty());
  const std::string line = child.errors();
  CAPTURE(line);
  CHECK(std::count(line.begin(), line.end(), '\n') == 1);
  CHECK(line.ends_with('\n'));
  return line;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("SIGTERM under load: what was begun is answered, and the service ends with status 0") {
  constexpr int kClients = 16;
  RunningService service;
  std::latch all_busy(kClients);
  std::atomic<int> answered = 0;
  std::mutex mutex;
  std::string broken;  // what clients got in place of an answer
  const auto load = [&] {
    RawClient client = service.connect();
    const std::string request =
        post("/v1/fashion", "application/octet-stream", std::string(784, 'x'));
    Reply reply = client.ask(request);
    all_busy.count_down();
    while (reply.status == 200) {
      ++answered;
      if (contains(reply.head, "Connection: close")) return;
      reply = client.ask(request);
    }
    // A connection may end between two requests, but not within an answer.
    const std::scoped_lock lock(mutex);
    if (reply.status != 0 || !client.received().empty()) {
      broken += reply.head + reply.body + client.received();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kClients; ++i) threads.emplace_back(load);
    all_busy.wait();
    service.terminate();
  }
  CHECK(service.wait() == 0);
  CHECK(broken == "");
  CHECK(answered >= kClients);
  CHECK_MESSAGE(service.errors().empty(), service.errors());
}

TEST_CASE("watchers and a run do not hold up the end") {
  RunningService service({"--drain-timeout", "1h"});
  RawClient watcher = service.connect();
  REQUIRE(watcher.send("GET /v1/stream HTTP/1.1\r\nHost: a\r\n\r\n"));
  REQUIRE(watcher.wait_for("event: stats"));
  RawClient client = service.connect();
  const std::string run = R"({"concurrency":4,"count":10000})";
  REQUIRE(client.ask(post("/v1/fire", "application/json", run)).status == 202);
  service.terminate();
  CHECK(service.wait() == 0);
  CHECK(watcher.wait_for_end());
}

TEST_CASE("a port in use is one line and status 2") {
  const RunningService service;
  const std::string port = std::to_string(service.port());
  CHECK(contains(refusal({"--model", model(), "--port", port}), port));
}

TEST_CASE("a model that is missing, damaged or lacks its signature is one line and status 2") {
  CHECK(contains(refusal({"--model", "no/such.pt"}), "no/such.pt"));

  const auto folder = std::filesystem::path(model()).parent_path() / "damaged";
  std::filesystem::create_directories(folder);
  const std::string damaged = (folder / "fashion.pt").string();
  std::ofstream(damaged) << "not a model";
  CHECK(contains(refusal({"--model", damaged}), "fashion.json"));
  std::filesystem::copy(std::filesystem::path(model()).replace_extension(".json"),
                        folder / "fashion.json", std::filesystem::copy_options::overwrite_existing);
  CHECK(contains(refusal({"--model", damaged}), "fashion.pt"));
  std::filesystem::remove_all(folder);
}

TEST_CASE("missing images and wrong options are one line and status 2") {
  CHECK(contains(refusal({"--model", model(), "--data", "no/such"}), "no/such"));
  CHECK(contains(refusal({"--modell", model()}), "the nearest is --model"));
  CHECK(contains(refusal({"--model", model(), "--port", "x"}), "--port must be a number"));
}

TEST_CASE("the admin server asks for its token, but not for health, and tells it to nobody") {
  const auto file = std::filesystem::path(model()).parent_path() / "token";
  std::ofstream(file) << "correct-horse-battery\n";
  RunningService service({"--admin-token-file", file.string()});
  RawClient admin = service.connect_admin();
  const auto ask = [&](const std::string& path, const std::string& token) {
    return admin.ask("GET " + path + " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + token +
                     "\r\n\r\n");
  };
  CHECK(admin.get("/metrics").status == 401);
  CHECK(ask("/metrics", "correct-horse-batterx").status == 401);
  CHECK(ask("/metrics", "correct-horse-battery-staple").status == 401);
  CHECK(ask("/metrics", "correct-horse-battery").status == 200);
  const Reply status = ask("/status", "correct-horse-battery");
  CHECK(status.status == 200);
  CHECK(contains(status.body, "admin_token_file"));
  CHECK_FALSE(contains(status.body, "correct-horse"));
  CHECK(admin.get("/health/live").status == 200);
  std::filesystem::remove(file);
}
