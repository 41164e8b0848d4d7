// The span of a request.
#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "aiserve/core/telemetry.hpp"
#include "aiserve/http_testing/test_client.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;

struct Traced {
  Traced() {
    server.get("/pets/{id}", [this](const Context& ctx, const Request& request) {
      inside = ctx.trace();
      if (request.param("id") == "0") throw std::runtime_error("broken");
      return text("x");
    });
    server.get("/slow", [](const Context& ctx, const Request&) -> Async<Response> {
      const Result<void> slept = co_await sleep(ctx, 10s);
      if (!slept) co_return slept.error();
      co_return text("x");
    });
    sim.start();
  }
  SpanRecord only() {
    telemetry.flush();
    REQUIRE(spans.size() == 1);
    return spans.front();
  }
  static std::string attribute(const SpanRecord& span, std::string_view key) {
    for (const SpanAttribute& one : span.attributes) {
      if (one.key != key) continue;
      if (const auto* text = std::get_if<std::string>(&one.value)) return *text;
      return std::to_string(std::get<std::int64_t>(one.value));
    }
    return {};
  }

  testing::ManualClock clock;
  std::vector<SpanRecord> spans;
  Telemetry telemetry{{.log_sink = [](LogLevel, std::string_view) {},
                       .span_exporter =
                           [this](std::span<const SpanRecord> records) {
                             spans.insert(spans.end(), records.begin(), records.end());
                           }}};
  testing::SimRuntime sim{{.telemetry = &telemetry}};
  Server server{sim.runtime(), {.address = "127.0.0.1", .port = 0}};
  TestClient client{sim, server};
  TraceParent inside;
};

TEST_CASE("a request is a span of its route, below that of the caller") {
  Traced s;
  const TraceParent caller = TraceParent::generate(true);
  const std::string field(caller.text().view());
  CHECK(s.client.request("GET", "/pets/7?token=hush", {}, {{"traceparent", field}}).status == 200);
  const SpanRecord span = s.only();
  CHECK(span.name == "GET /pets/{id}");
  CHECK(span.parent == caller.span_id());
  CHECK(span.context.trace_id() == caller.trace_id());
  CHECK(s.inside == span.context);
  CHECK(Traced::attribute(span, "http.request.method") == "GET");
  CHECK(Traced::attribute(span, "http.route") == "/pets/{id}");
  CHECK(Traced::attribute(span, "url.path") == "/pets/7");
  CHECK(Traced::attribute(span, "http.response.status_code") == "200");
  CHECK(span.error.empty());
}

TEST_CASE("without a caller's a request begins a trace, and a 500 is an error of it") {
  Traced s;
  CHECK(s.client.get("/pets/0").status == 500);
  const SpanRecord span = s.only();
  CHECK(span.parent == TraceParent::SpanId{});
  CHECK(span.context.valid());
  CHECK(span.error == "Internal Server Error");
}

TEST_CASE("a trace that is not sampled goes on without a span") {
  Traced s;
  const TraceParent caller = TraceParent::generate(false);
  const std::string field(caller.text().view());
  CHECK(s.client.request("GET", "/pets/7", {}, {{"traceparent", field}}).status == 200);
  s.telemetry.flush();
  CHECK(s.spans.empty());
  CHECK(s.inside.trace_id() == caller.trace_id());
}

TEST_CASE("the span of a request whose client has gone says so") {
  Traced s;
  { const auto call = s.client.start("GET", "/slow"); }
  CHECK(s.only().error == "client_gone");
}

}  // namespace
}  // namespace aiserve::http
