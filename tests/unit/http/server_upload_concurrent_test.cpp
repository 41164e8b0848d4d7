// Uploads over real sockets: as a whole, while they are received, and through a bad network.
#include <doctest/doctest.h>

#include "aiserve/core/telemetry.hpp"
#include "aiserve/http/multipart_reader.hpp"
#include "aiserve/http/server.hpp"
#include "aiserve/testing/tcp_gate.hpp"
#include "unit/http/client.hpp"

namespace aiserve::http {
namespace {

Async<Response> count_streamed(const Request& request, BodyReader& body) {
  MultipartReader parts(request, body, {.max_parts = 3});
  std::string summary;
  for (;;) {
    Result<bool> more = co_await parts.next();
    if (!more) co_return more.error();
    if (!*more) co_return text(summary);
    std::size_t size = 0;
    for (;;) {
      if (parts.head().name == "skip") break;
      Result<Bytes> piece = co_await parts.read();
      if (!piece) co_return piece.error();
      if (piece->empty()) break;
      size += piece->size();
    }
    summary += parts.head().name + "=" + std::to_string(size) + ";";
  }
}

struct UploadHost {
  UploadHost() {
    server
        .post("/whole",
              [](const Context&, const Request& request) {
                std::string summary;
                for (const Part& part : multipart(request).value()) {
                  summary += part.name + "=" + std::to_string(part.body.size()) + ";";
                }
                return text(summary);
              })
        .post("/streamed",
              [](const Context&, const Request& request, BodyReader& body) -> Async<Response> {
                return count_streamed(request, body);
              },
              {.max_body = 64 << 20});
    runtime.start();
  }

  Telemetry telemetry{{.log_sink = [](LogLevel, std::string_view) {}}};
  Runtime runtime{{.telemetry = &telemetry}};
  Server server{runtime, {.address = "127.0.0.1", .port = 0}};
};

std::string part(std::string_view name, std::string_view content) {
  return "--XX\r\nContent-Disposition: form-data; name=\"" + std::string(name) + "\"\r\n\r\n" +
         std::string(content) + "\r\n";
}

std::string post(std::string_view path, const std::string& body,
                 std::string_view type = "multipart/form-data; boundary=XX") {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: a\r\nContent-Type: " + std::string(type) +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

const std::string kForm =
    part("a", std::string(30'000, 'a')) + part("b", "") + part("c", "\r\n--X\r\n--") + "--XX--\r\n";

TEST_CASE("an upload is read as a whole and while it comes, to the same effect") {
  UploadHost host;
  RawClient client(host.server.port());
  CHECK(client.ask(post("/whole", kForm)).body == "a=30000;b=0;c=9;");
  CHECK(client.ask(post("/streamed", kForm)).body == "a=30000;b=0;c=9;");
}

TEST_CASE("an upload in one-byte slices is the same upload") {
  UploadHost host;
  testing::TcpGate gate(host.server.port());
  gate.to_target(testing::GateMode::slice(1));
  RawClient client(gate.port());
  const std::string form = part("a", std::string(3'000, '\r')) + part("b", "2") + "--XX--\r\n";
  CHECK(client.ask(post("/streamed", form)).body == "a=3000;b=1;");
}

TEST_CASE("an upload larger than any buffer passes through") {
  UploadHost host;
  RawClient client(host.server.port());
  const std::string form = part("big", std::string(12 << 20, 'x')) +
                           part("skip", std::string(4 << 20, 'y')) + part("end", "e") + "--XX--";
  CHECK(client.ask(post("/streamed", form)).body == "big=12582912;skip=0;end=1;");
}

TEST_CASE("what is malformed, cut short, too much or something else is refused both ways") {
  UploadHost host;
  for (const std::string_view path : {"/whole", "/streamed"}) {
    CAPTURE(path);
    const auto status = [&](const std::string& request) {
      return RawClient(host.server.port()).ask(request).status;
    };
    CHECK(status(post(path, part("a", "1"))) == 400);
    CHECK(status(post(path, "preamble" + kForm)) == 400);
    CHECK(status(post(path, kForm + "epilogue")) == 400);
    CHECK(status(post(path, kForm, "text/plain")) == 422);
    CHECK(status(post(path, kForm, "multipart/form-data")) == 422);
  }
  // Its body is not sent: the answer could be lost to a reset.
  const std::string huge = post("/whole", part("a", std::string(17 << 20, 'x')));
  CHECK(RawClient(host.server.port()).ask(huge.substr(0, huge.find("\r\n\r\n") + 4)).status == 413);
  std::string many;
  for (int i = 0; i < 4; ++i) many += part("p", "1");
  CHECK(RawClient(host.server.port()).ask(post("/streamed", many + "--XX--")).status == 413);
  CHECK(RawClient(host.server.port()).ask(post("/streamed", kForm)).status == 200);
}

TEST_CASE("an upload whose client leaves is given up") {
  UploadHost host;
  for (const std::string_view path : {"/whole", "/streamed"}) {
    RawClient client(host.server.port());
    const std::string request = post(path, kForm);
    client.send(std::string_view(request).substr(0, request.size() / 2));
    client.kill();
  }
  CHECK(RawClient(host.server.port()).ask(post("/streamed", kForm)).status == 200);
  host.runtime.shutdown();
  CHECK(host.server.connections() == 0);
  CHECK(host.server.in_flight() == 0);
}

}  // namespace
}  // namespace aiserve::http
