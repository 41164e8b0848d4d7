// A unix socket with several I/O threads behind it.
#include <filesystem>
#include <set>
#include <sstream>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <unistd.h>

#include "aiserve/core/telemetry.hpp"
#include "aiserve/http/server.hpp"
#include "unit/http/client.hpp"

namespace aiserve::http {
namespace {

TEST_CASE("a unix socket's connections are dealt out to all I/O threads") {
  const std::string path =
      std::filesystem::temp_directory_path() / ("aiserve_" + std::to_string(::getpid()) + ".sock");
  Telemetry telemetry({.log_sink = [](LogLevel, std::string_view) {}});
  Runtime runtime({.io_threads = 2, .telemetry = &telemetry});
  Server server(runtime, {.unix_path = path});
  server.get("/thread", [](const Context&, const Request&) {
    std::ostringstream id;
    id << std::this_thread::get_id();
    return text(id.str());
  });
  runtime.start();
  std::set<std::string> threads;
  std::vector<RawClient> clients;
  clients.reserve(8);
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back(path);
    threads.insert(clients.back().get("/thread").body);
  }
  CHECK(threads.size() == 2);
  CHECK(server.connections() == 8);
  runtime.shutdown();
  CHECK(server.connections() == 0);
  CHECK_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace aiserve::http
