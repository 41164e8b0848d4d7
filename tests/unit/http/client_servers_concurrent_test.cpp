// http::Client against servers that others wrote: nginx and node, where they are installed.
#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include "support/child_process.hpp"
#include "support/temporary_folder.hpp"
#include "unit/http/client_host.hpp"
#include "unit/http/scripted_server.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;
using testing::ChildProcess;

constexpr const char* kNginx = "/usr/sbin/nginx";
constexpr const char* kNode = "/usr/bin/node";

bool installed(const char* program) {
  if (std::filesystem::exists(program)) return true;
  MESSAGE("SKIPPED: " << std::string(program) << " is not installed");
  return false;
}

std::uint16_t free_port() {
  const ScriptedServer server([](ScriptedPeer&) {});
  return server.port();
}

// Answers /plain in chunks, /gzip coded, and echoes what is sent to it. It ends connections a
// moment after each answer.
constexpr const char* kNodeScript = R"(
const http = require('http'), zlib = require('zlib');
const server = http.createServer((request, response) => {
  if (request.url == '/gzip') {
    response.setHeader('Content-Encoding', 'gzip');
    return response.end(zlib.gzipSync('z'.repeat(100000)));
  }
  if (request.url == '/echo') return request.pipe(response);
  response.writeEarlyHints({link: '</a>; rel=preload'});
  response.write('pl');
  response.end('ain');
});
server.keepAliveTimeout = 1;
server.listen(0, '127.0.0.1', () => console.log('port ' + server.address().port + '.'));
)";

TEST_CASE("node's chunks, codings, early hints and short patience are understood") {
  if (!installed(kNode)) return;
  ChildProcess node({kNode, "-e", kNodeScript});
  REQUIRE(node.wait_for_output("."));
  const std::string port = node.output().substr(5, node.output().find('.') - 5);
  ClientHost host;
  host.start();
  const std::string origin = "http://127.0.0.1:" + port;
  for (int i = 0; i < 100; ++i) {
    const auto plain = host.get(origin + "/plain");
    REQUIRE(plain.ok());
    CHECK(plain->text() == "plain");
  }
  CHECK(host.get(origin + "/gzip")->text() == std::string(100'000, 'z'));
  ClientRequest request(Method::put, origin + "/echo");
  const std::string body(1'000'000, 'b');
  request.body(body, "text/plain");
  CHECK(host.send(request)->text() == body);
}

TEST_CASE(
    "nginx's files are fetched, whole and as streams, over connections it ends now and then") {
  if (!installed(kNginx)) return;
  const testing::TemporaryFolder folder;
  const std::string root = folder.path();
  const std::string port = std::to_string(free_port());
  std::ofstream(root + "/big.txt") << std::string(3'000'000, 'n');
  std::ofstream(root + "/small.txt") << "small";
  std::ofstream(root + "/nginx.conf")
      << "daemon off; master_process off; pid " << root << "/pid; error_log stderr notice;\n"
      << "events {}\nhttp { access_log off; client_body_temp_path " << root
      << "/a; proxy_temp_path " << root << "/b; fastcgi_temp_path " << root
      << "/c; uwsgi_temp_path " << root << "/d; scgi_temp_path " << root
      << "/e; keepalive_requests 3; gzip on; gzip_min_length 100; gzip_types text/plain;\n"
      << "default_type text/plain;\n"
      << "server { listen 127.0.0.1:" << port << "; root " << root
      << "; location /moved { return 301 /small.txt; } } }\n";
  ChildProcess nginx({kNginx, "-p", root, "-c", root + "/nginx.conf"});
  REQUIRE(nginx.wait_for_errors("getrlimit"));
  ClientHost host;
  host.start();
  const std::string origin = "http://127.0.0.1:" + port;
  for (int i = 0; i < 20; ++i) {
    const auto small = host.get(origin + "/small.txt");
    REQUIRE(small.ok());
    CHECK(small->text() == "small");
  }
  const auto big = host.get(origin + "/big.txt");
  REQUIRE(big.ok());
  CHECK(big->text() == std::string(3'000'000, 'n'));
  CHECK(host.get(origin + "/moved")->text() == "small");
  CHECK(host.get(origin + "/missing")->status() == 404);
  const auto read_all = [&]() -> Async<std::size_t> {
    ClientRequest request(Method::get, origin + "/big.txt");
    request.header("Accept-Encoding", "identity");
    Result<ClientStream> stream = co_await host.client.open(Context::background(), request);
    if (!stream) co_return stream.error();
    std::size_t size = 0;
    for (;;) {
      const Result<Bytes> part = co_await stream->read(Context::background());
      if (!part) co_return part.error();
      if (part->empty()) co_return size;
      size += part->size();
    }
  };
  const Result<std::size_t> size = block_on(host.runtime, read_all());
  REQUIRE(size.ok());
  CHECK(*size == 3'000'000);
}

}  // namespace
}  // namespace aiserve::http
