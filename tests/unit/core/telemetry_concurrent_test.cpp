#include <aiserve/core/error.hpp>
#include <aiserve/core/telemetry.hpp>

#include <atomic>
#include <thread>

#include <doctest/doctest.h>

using aiserve::LogLevel;
using aiserve::SpanRecord;
using aiserve::Telemetry;
using aiserve::TraceParent;

TEST_CASE("telemetry is made with a service name alone, or with nothing") {
  Telemetry named({.service = "classifier"});
  Telemetry plain;
  CHECK(named.service() == "classifier");
  CHECK(plain.service().empty());
  CHECK_FALSE(plain.tracer().enabled());
}

TEST_CASE("build_info says what runs") {
  Telemetry telemetry({.service = "classifier"});
  const std::string text = telemetry.metrics().prometheus();
  CHECK(text.find("aiserve_build_info{commit=\"") != std::string::npos);
  CHECK(text.find("service=\"classifier\"") != std::string::npos);
  CHECK(text.find("version=\"0.") != std::string::npos);
  CHECK(text.find("aiserve_spans_dropped 0\n") != std::string::npos);
}

TEST_CASE("the tenant label holds as many tenants as the option says") {
  Telemetry telemetry({.top_tenants = 3});
  CHECK(telemetry.tenants().options().top == 3);
  CHECK(&telemetry.metrics().bounded_label("tenant") == &telemetry.tenants());
  CHECK_THROWS_AS(Telemetry({.top_tenants = 0}), aiserve::ConfigError);
}

TEST_CASE("spans, counts and lines of many threads arrive while others flush") {
  constexpr int kThreads = 4;
  constexpr int kSpans = 200;
  std::atomic<int> exported{0};
  std::atomic<int> lines{0};
  {
    Telemetry telemetry({.log_sink = [&](LogLevel, std::string_view) { ++lines; },
                         .span_exporter =
                             [&](std::span<const SpanRecord> records) {
                               exported += static_cast<int>(records.size());
                             },
                         .span_queue = kThreads * kSpans});
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&telemetry] {
        for (int i = 0; i < kSpans; ++i) {
          auto span = telemetry.tracer().start("x", TraceParent::generate(true));
          span.set("i", i);
          span.end();
          telemetry.log().info("line");
          if (i % 50 == 0) telemetry.flush();
        }
      });
    }
    for (auto& thread : threads) thread.join();
    CHECK(telemetry.tracer().dropped() == 0);
  }
  CHECK(exported == kThreads * kSpans);
  CHECK(lines == kThreads * kSpans);
}
