#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/child_process.hpp"
#include "support/temporary_folder.hpp"
#include "unit/http/client.hpp"

using aiserve::http::RawClient;
using aiserve::http::Reply;
using aiserve::testing::ChildProcess;
using aiserve::testing::TemporaryFolder;

namespace {

struct Example {
  explicit Example(const TemporaryFolder& folder)
      : program({std::getenv("JOBS"), "0", folder.file("jobs.db")}) {
    REQUIRE(program.wait_for_errors("\"msg\":\"http: listening\""));
    REQUIRE(program.wait_for_errors("\n"));
    const std::string& log = program.errors();
    const std::size_t at = log.find("\"port\":", log.find("http: listening"));
    client.connect(static_cast<std::uint16_t>(std::atoi(log.c_str() + at + 7)));
  }

  /// Its path.
  std::string submit(const std::string& text) {
    const Reply reply = client.ask("POST /v1/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: " +
                                   std::to_string(text.size()) + "\r\n\r\n" + text);
    REQUIRE(reply.status == 202);
    const std::size_t at = reply.head.find("Location: ") + 10;
    return reply.head.substr(at, reply.head.find('\r', at) - at);
  }
  bool is(const std::string& path, const std::string& state) {
    return client.get(path).body.find("\"state\":\"" + state + '"') != std::string::npos;
  }
  void wait_until(const std::string& path, const std::string& state) {
    for (int i = 0; i < 6'000 && !is(path, state); ++i) ::poll(nullptr, 0, 10);
    REQUIRE(is(path, state));
  }
  std::string result(const std::string& path) { return client.get(path + "/result").body; }

  ChildProcess program;
  RawClient client;
};

}  // namespace

TEST_CASE("killed with -9 in the middle and started again, it goes on") {
  const TemporaryFolder folder;
  std::vector<std::string> paths;
  {
    Example example(folder);
    paths.push_back(example.submit("a"));
    paths.push_back(example.submit("hello world"));
    paths.push_back(example.submit("good morning"));
    paths.push_back(example.submit("last"));
    example.wait_until(paths[0], "completed");
    example.wait_until(paths[1], "running");
    example.program.send_signal(SIGKILL);
    CHECK(example.program.wait() == 128 + SIGKILL);
  }
  Example again(folder);
  CHECK(again.result(paths[0]) == "A");
  for (const std::string& path : paths) again.wait_until(path, "completed");
  CHECK(again.result(paths[1]) == "HELLO WORLD");
  CHECK(again.result(paths[2]) == "GOOD MORNING");
  CHECK(again.result(paths[3]) == "LAST");
  CHECK(again.client.get(paths[1]).body.find("\"attempt\":2") != std::string::npos);
  again.program.send_signal(SIGTERM);
  CHECK(again.program.wait() == 0);
}

TEST_CASE("a running job is cancelled") {
  const TemporaryFolder folder;
  Example example(folder);
  const std::string path = example.submit(std::string(10'000, 'x'));
  example.wait_until(path, "running");
  const Reply asked = example.client.ask("DELETE " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(asked.status == 202);
  example.wait_until(path, "cancelled");
  example.program.send_signal(SIGTERM);
  CHECK(example.program.wait() == 0);
}
