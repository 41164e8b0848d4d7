// Servers on unix sockets.
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/http/client.hpp"
#include "unit/http/simulation.hpp"

namespace aiserve::http {
namespace {

struct Folder {
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "aiserve_unix_XXXXXX";
    path = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file(std::string_view name) const { return path / name; }

  std::filesystem::path path;
};

std::string refusal(Runtime& runtime, const std::string& path) {
  try {
    const Server server(runtime, {.unix_path = path});
    return "";
  } catch (const ConfigError& error) {
    return error.what();
  }
}

TEST_CASE("a server on a unix socket serves those who may open it, and removes it in the end") {
  const Folder folder;
  const std::string path = folder.file("http.sock");
  {
    Telemetry telemetry({.log_sink = [](LogLevel, std::string_view) {}});
    testing::SimRuntime sim({.telemetry = &telemetry});
    Server server(sim.runtime(),
                  {.unix_path = path, .unix_mode = 0600, .trusted_proxies = {"unix"}});
    CHECK(server.port() == 0);
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    server.get("/", [](const Context&, const Request& request) {
      return text(std::string(request.peer()) + "|" + std::string(request.client()));
    });
    sim.start();
    RawClient client(path);
    REQUIRE(client.connected());
    client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n");
    sim.run_until_idle();
    CHECK(client.reply().body == "unix|192.0.2.7");
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a socket that a dead process left is replaced, one in use is not, nor is a file") {
  const Folder folder;
  const std::string path = folder.file("http.sock");
  {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(::bind(dead, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    ::close(dead);
  }
  testing::SimRuntime sim;
  {
    const Server server(sim.runtime(), {.unix_path = path});
    CHECK(RawClient(path).connected());
    CHECK(refusal(sim.runtime(), path).find("is in use") != std::string::npos);
    CHECK(std::filesystem::exists(path));
  }
  const std::string text_file = folder.file("notes.txt");
  std::ofstream(text_file) << "keep me";
  CHECK(refusal(sim.runtime(), text_file).find("is no socket") != std::string::npos);
  CHECK(std::filesystem::exists(text_file));
  CHECK(refusal(sim.runtime(), folder.file("none/x.sock")).find("No such file") !=
        std::string::npos);
  CHECK(refusal(sim.runtime(), folder.file(std::string(200, 'x'))).find("longer than 107") !=
        std::string::npos);
}

TEST_CASE("a server leaves a socket alone that took the place of its own") {
  const Folder folder;
  const std::string path = folder.file("http.sock");
  testing::SimRuntime second_sim;
  std::unique_ptr<Server> second;
  {
    testing::SimRuntime sim;
    const Server first(sim.runtime(), {.unix_path = path});
    std::filesystem::rename(path, folder.file("old.sock"));
    second = std::make_unique<Server>(second_sim.runtime(), ServerOptions{.unix_path = path});
  }
  CHECK(RawClient(path).connected());
}

}  // namespace
}  // namespace aiserve::http
