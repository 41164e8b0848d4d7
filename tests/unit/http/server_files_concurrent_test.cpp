// Files over real sockets: validators, ranges, and every way out of the directory that is known.
#include <filesystem>

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "aiserve/core/telemetry.hpp"
#include "aiserve/http/server.hpp"
#include "support/descriptors.hpp"
#include "support/temporary_directory.hpp"
#include "unit/http/client.hpp"

namespace aiserve::http {
namespace {

struct FileHost {
  explicit FileHost(FileOptions options = {}) {
    outside.write("secret", "secret");
    www.write("hello.txt", "Hello, files!");
    www.write("index.html", "<p>root</p>");
    www.write("sub dir/index.html", "<p>sub</p>");
    www.write("empty", "");
    www.write(".hidden", "hidden");
    www.write(".git/config", "hidden");
    std::string big;
    for (int i = 0; big.size() < 1'500'000; ++i) big += std::to_string(i) + "\n";
    www.write("big.bin", big);
    std::filesystem::create_symlink(outside / "secret", www / "link");
    std::filesystem::create_symlink(outside.path(), www / "links");
    server.files("/static", www.path(), std::move(options))
        .get("/private/x", [](const Context&, const Request&) { return text("private"); })
        .before([](Context&, const Request& request) -> Result<void> {
          if (!request.path().starts_with("/private")) return success();
          return Error(Errc::unauthenticated, "not for everybody");
        });
    runtime.start();
  }

  RawClient client() const { return RawClient(server.port()); }
  Reply get(std::string_view path, std::string_view fields = "") const {
    return client().ask("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" +
                        std::string(fields) + "\r\n");
  }
  std::string content(std::string_view name) const {
    std::ifstream file(www / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  testing::TemporaryDirectory outside;
  testing::TemporaryDirectory www;
  Telemetry telemetry{{.log_sink = [](LogLevel, std::string_view) {}}};
  Runtime runtime{{.telemetry = &telemetry}};
  Server server{runtime, {.address = "127.0.0.1", .port = 0}};
};

std::string field(const Reply& reply, std::string_view name) {
  const std::size_t at = reply.head.find("\r\n" + std::string(name) + ": ");
  if (at == std::string::npos) return {};
  const std::size_t begin = at + name.size() + 4;
  return reply.head.substr(begin, reply.head.find("\r\n", begin) - begin);
}

TEST_CASE("a file arrives whole, with its type, length and validators") {
  const FileHost host;
  const Reply reply = host.get("/static/hello.txt");
  CHECK(reply.status == 200);
  CHECK(reply.body == "Hello, files!");
  CHECK(field(reply, "Content-Type") == "text/plain; charset=utf-8");
  CHECK(field(reply, "Content-Length") == "13");
  CHECK(field(reply, "Accept-Ranges") == "bytes");
  CHECK(field(reply, "ETag").starts_with('"'));
  CHECK(field(reply, "Last-Modified").ends_with(" GMT"));
  CHECK(host.get("/static/big.bin").body == host.content("big.bin"));
  const Reply empty = host.get("/static/empty");
  CHECK(empty.status == 200);
  CHECK(field(empty, "Content-Length") == "0");
  CHECK(host.get("/static/missing").status == 404);
}

TEST_CASE("HEAD says what GET would, OPTIONS what is allowed") {
  const FileHost host;
  const Reply got = host.get("/static/big.bin", "Connection: keep-alive\r\n");
  RawClient client = host.client();
  REQUIRE(client.send("HEAD /static/big.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1\r\n\r\n"));
  const Reply head = client.reply(true);
  CHECK(head.status == 200);
  CHECK(field(head, "Content-Length") == field(got, "Content-Length"));
  CHECK(field(head, "ETag") == field(got, "ETag"));
  const Reply options = client.ask("OPTIONS /static/big.bin HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(options.status == 204);
  CHECK(field(options, "Allow") == "GET, HEAD, OPTIONS");
  CHECK(field(client.ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), "Allow") ==
        "GET, HEAD, OPTIONS");
  const Reply post =
      client.ask("POST /static/hello.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  CHECK(post.status == 405);
  CHECK(field(post, "Allow") == "GET, HEAD, OPTIONS");
}

TEST_CASE("directories show their index and are told by their slash") {
  const FileHost host;
  CHECK(host.get("/static/").body == "<p>root</p>");
  CHECK(host.get("/static/sub%20dir/").body == "<p>sub</p>");
  const Reply bare = host.get("/static");
  CHECK(bare.status == 308);
  CHECK(field(bare, "Location") == "/static/");
  const Reply sub = host.get("/static/sub%20dir");
  CHECK(sub.status == 308);
  CHECK(field(sub, "Location") == "./sub%20dir/");
  FileOptions no_index;
  no_index.index = "";
  CHECK(FileHost(no_index).get("/static/").status == 404);
}

TEST_CASE("what the client has is not sent again") {
  const FileHost host;
  const Reply reply = host.get("/static/hello.txt");
  const std::string etag = field(reply, "ETag");
  const Reply same = host.get("/static/hello.txt", "If-None-Match: " + etag + "\r\n");
  CHECK(same.status == 304);
  CHECK(same.body.empty());
  CHECK(field(same, "ETag") == etag);
  CHECK(field(same, "Content-Length").empty());
  const std::string since = "If-Modified-Since: " + field(reply, "Last-Modified") + "\r\n";
  CHECK(host.get("/static/hello.txt", since).status == 304);
  CHECK(host.get("/static/hello.txt", "If-None-Match: \"other\"\r\n" + since).status == 200);
  const Reply failed = host.get("/static/hello.txt", "If-Match: \"other\"\r\n");
  CHECK(failed.status == 412);
  CHECK(failed.body.empty());
  std::filesystem::last_write_time(
      host.www / "hello.txt",
      std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  CHECK(host.get("/static/hello.txt", "If-None-Match: " + etag + "\r\n").status == 200);
}

TEST_CASE("ranges give the bytes asked for") {
  const FileHost host;
  const std::string whole = host.content("big.bin");
  const Reply part = host.get("/static/big.bin", "Range: bytes=1000-300999\r\n");
  CHECK(part.status == 206);
  CHECK(part.body == whole.substr(1000, 300'000));
  CHECK(field(part, "Content-Range") == "bytes 1000-300999/" + std::to_string(whole.size()));
  const Reply tail = host.get("/static/hello.txt", "Range: bytes=-6\r\n");
  CHECK(tail.body == "files!");
  const Reply beyond = host.get("/static/hello.txt", "Range: bytes=13-\r\n");
  CHECK(beyond.status == 416);
  CHECK(field(beyond, "Content-Range") == "bytes */13");
  const std::string etag = field(tail, "ETag");
  CHECK(host.get("/static/hello.txt", "Range: bytes=0-0\r\nIf-Range: " + etag + "\r\n").status ==
        206);
  CHECK(host.get("/static/hello.txt", "Range: bytes=0-0\r\nIf-Range: \"x\"\r\n").body.size() == 13);
}

TEST_CASE("several ranges come as multipart/byteranges of the length that was named") {
  const FileHost host;
  const Reply reply = host.get("/static/hello.txt", "Range: bytes=0-4,-6\r\n");
  CHECK(reply.status == 206);
  const std::string type = field(reply, "Content-Type");
  REQUIRE(type.starts_with("multipart/byteranges; boundary="));
  const std::string boundary = type.substr(type.find('=') + 1);
  const auto part = [&](std::string_view range, std::string_view text) {
    return "\r\n--" + boundary +
           "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes " +
           std::string(range) + "/13\r\n\r\n" + std::string(text);
  };
  CHECK(reply.body ==
        part("0-4", "Hello") + part("7-12", "files!") + "\r\n--" + boundary + "--\r\n");
  std::string many = "Range: bytes=0-0";
  for (int i = 1; i < 17; ++i) many += "," + std::to_string(i % 13) + "-";
  CHECK(host.get("/static/hello.txt", many + "\r\n").status == 200);
}

TEST_CASE("no path leads out of the directory or past a protected prefix") {
  const FileHost host;
  for (const std::string_view path :
       {"/static/../secret", "/static/%2e%2e/secret", "/static/..%2fsecret",
        "/static/%2e%2e%2fsecret", "/static//hello.txt", "/static/./hello.txt",
        "/static/hello.txt%00", "/static/%00", "/static/..\\secret", "/static/%5c..%5csecret",
        "/static/%c0%ae%c0%ae/secret", "/static/%e0%80%ae%e0%80%ae/secret", "/static/sub%2fx",
        "/private/../static/hello.txt", "//private/x", "/%2e/private/x", "/static/..;/private/x\\",
        "/private%2fx", "/static/a/../../private/x"}) {
    CAPTURE(path);
    CHECK(host.get(path).status == 400);
  }
  for (const std::string_view path :
       {"/static/link", "/static/links/secret", "/static/links/", "/static/%252e%252e/secret",
        "/static/...", "/static/hello.txt/", "/static/hello.txt/x", "/static/~root",
        "/static/..%c2%a0/secret"}) {
    CAPTURE(path);
    CHECK(host.get(path).status == 404);
  }
  for (const std::string_view path : {"/private/x", "/%70rivate/x", "/private/%78"}) {
    CHECK(host.get(path).status == 401);
  }
  CHECK(host.get("/PRIVATE/x").status == 404);
}

TEST_CASE("names with a dot are nobody's business, unless they are") {
  const FileHost host;
  CHECK(host.get("/static/.hidden").status == 404);
  CHECK(host.get("/static/.git/config").status == 404);
  CHECK(host.get("/static/%2ehidden").status == 404);
  FileOptions options;
  options.dot_files = true;
  CHECK(FileHost(options).get("/static/.hidden").body == "hidden");
}

TEST_CASE("only regular files are served") {
  const FileHost host;
  REQUIRE(::mkfifo((host.www / "fifo").c_str(), 0600) == 0);
  CHECK(host.get("/static/fifo").status == 404);
}

TEST_CASE("a precompressed sibling goes to who accepts it") {
  FileOptions options;
  options.precompressed = true;
  options.cache_control = "public, max-age=60";
  const FileHost host(options);
  host.www.write("hello.txt.gz", "gzip bytes");
  host.www.write("hello.txt.br", "br bytes");
  const Reply br = host.get("/static/hello.txt", "Accept-Encoding: gzip, br\r\n");
  CHECK(br.body == "br bytes");
  CHECK(field(br, "Content-Encoding") == "br");
  CHECK(field(br, "Content-Type") == "text/plain; charset=utf-8");
  CHECK(field(br, "Vary") == "Accept-Encoding");
  CHECK(field(br, "Cache-Control") == "public, max-age=60");
  CHECK(host.get("/static/hello.txt", "Accept-Encoding: gzip\r\n").body == "gzip bytes");
  const Reply plain = host.get("/static/hello.txt");
  CHECK(plain.body == "Hello, files!");
  CHECK(field(plain, "Vary") == "Accept-Encoding");
  CHECK(field(plain, "ETag") != field(br, "ETag"));
  CHECK(host.get("/static/big.bin", "Accept-Encoding: br\r\n").body == host.content("big.bin"));
}

TEST_CASE("a file that shrinks while it is sent ends the connection, not the server") {
  FileOptions options;
  options.piece = 4096;
  const FileHost host(options);
  constexpr std::size_t kSize = 64 << 20;  // more than the kernel takes for a client that waits
  host.www.write("sparse.bin", "");
  std::filesystem::resize_file(host.www / "sparse.bin", kSize);
  RawClient client = host.client();
  REQUIRE(client.send("GET /static/sparse.bin HTTP/1.1\r\nHost: a\r\n\r\n"));
  REQUIRE(client.wait_for("\r\n\r\n"));
  std::filesystem::resize_file(host.www / "sparse.bin", 10);
  CHECK(client.wait_for_end());
  CHECK(client.received().size() < kSize);
  CHECK(host.get("/static/hello.txt").status == 200);
}

TEST_CASE("clients that leave in the middle of a file leave no descriptor behind") {
  const std::size_t before = testing::open_descriptors();
  {
    FileHost host;
    for (int i = 0; i < 20; ++i) {
      RawClient client = host.client();
      client.send("GET /static/big.bin HTTP/1.1\r\nHost: a\r\n\r\n");
      client.wait_for("\r\n\r\n");
      i % 2 == 0 ? client.kill() : client.close();
    }
    CHECK(host.get("/static/hello.txt").status == 200);
    host.runtime.shutdown();
    CHECK(host.server.connections() == 0);
  }
  CHECK(testing::open_descriptors() == before);
}

TEST_CASE("wiring mistakes are told at once") {
  Runtime runtime;
  Server server(runtime, {.address = "127.0.0.1", .port = 0});
  CHECK_THROWS_AS(server.files("/a", "/nonexistent/aiserve"), ConfigError);
  CHECK_THROWS_AS(server.files("/a", "/tmp", {.max_ranges = 0}), ConfigError);
  CHECK_THROWS_AS(server.files("/a", "/tmp", {.piece = 1}), ConfigError);
  CHECK_THROWS_AS(server.files("/a", "/tmp", {.index = "a/b"}), ConfigError);
}

}  // namespace
}  // namespace aiserve::http
