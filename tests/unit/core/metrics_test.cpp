#include <aiserve/core/bounded_label.hpp>
#include <aiserve/core/error.hpp>
#include <aiserve/core/metrics.hpp>

#include <cmath>
#include <limits>
#include <stdexcept>

#include <doctest/doctest.h>

using aiserve::CallbackGauge;
using aiserve::ConfigError;
using aiserve::Counter;
using aiserve::Histogram;
using aiserve::HistogramSnapshot;
using aiserve::Labels;
using aiserve::MetricFamily;
using aiserve::Metrics;

TEST_CASE("counters, gauges and histograms are written in the Prometheus text format") {
  Metrics metrics;
  metrics.counter("app_requests_total", "Requests served.", {{"route", "/x"}, {"code", "200"}})
      .inc(3);
  metrics.counter("app_requests_total", "Requests served.", {{"route", "/y"}, {"code", "404"}})
      .inc();
  metrics.gauge("app_depth", "Queue depth.").set(2.5);
  constexpr std::array kBounds{1.0, 2.0, 4.0};
  Histogram& sizes = metrics.histogram("app_batch", "Batch sizes.", {{"model", "m"}}, kBounds);
  for (const int size : {1, 2, 2, 3, 9}) sizes.observe(size);
  CHECK(metrics.prometheus() ==
        R"(# HELP app_batch Batch sizes.
# TYPE app_batch histogram
app_batch_bucket{model="m",le="1"} 1
app_batch_bucket{model="m",le="2"} 3
app_batch_bucket{model="m",le="4"} 4
app_batch_bucket{model="m",le="+Inf"} 5
app_batch_sum{model="m"} 17
app_batch_count{model="m"} 5
# HELP app_depth Queue depth.
# TYPE app_depth gauge
app_depth 2.5
# HELP app_requests_total Requests served.
# TYPE app_requests_total counter
app_requests_total{code="200",route="/x"} 3
app_requests_total{code="404",route="/y"} 1
)");
}

TEST_CASE("label values and help are escaped, invalid UTF-8 is replaced") {
  Metrics metrics;
  metrics.counter("a_total", "Two\nlines \\ \"quoted\".", {{"path", "a\"b\\c\nd\xff\u00e4"}}).inc();
  CHECK(metrics.prometheus() ==
        "# HELP a_total Two\\nlines \\\\ \"quoted\".\n"
        "# TYPE a_total counter\n"
        "a_total{path=\"a\\\"b\\\\c\\nd\uFFFD\u00e4\"} 1\n");
}

TEST_CASE("special numbers are spelled as Prometheus spells them") {
  Metrics metrics;
  metrics.gauge("a", "A.").set(std::numeric_limits<double>::infinity());
  metrics.gauge("b", "B.").set(-std::numeric_limits<double>::infinity());
  metrics.gauge("c", "C.").set(std::nan(""));
  const std::string text = metrics.prometheus();
  CHECK(text.find("\na +Inf\n") != std::string::npos);
  CHECK(text.find("\nb -Inf\n") != std::string::npos);
  CHECK(text.find("\nc NaN\n") != std::string::npos);
}

TEST_CASE("the same name and labels give the same handle, in any order of labels") {
  Metrics metrics;
  Counter& first = metrics.counter("a_total", "A.", {{"x", "1"}, {"y", "2"}});
  CHECK(&metrics.counter("a_total", "A.", {{"y", "2"}, {"x", "1"}}) == &first);
  CHECK(&metrics.counter("a_total", "A.", {{"x", "2"}, {"y", "1"}}) != &first);
  CHECK(&metrics.gauge("g", "G.") == &metrics.gauge("g", "G."));
  CHECK(&metrics.histogram("h", "H.") == &metrics.histogram("h", "H."));
}

TEST_CASE("a name has one kind and one set of label names") {
  Metrics metrics;
  metrics.counter("a_total", "A.", {{"x", "1"}});
  CHECK_THROWS_AS(metrics.gauge("a_total", "A.", {{"x", "1"}}), ConfigError);
  CHECK_THROWS_AS(metrics.histogram("a_total", "A.", {{"x", "1"}}), ConfigError);
  CHECK_THROWS_AS(metrics.counter("a_total", "A."), ConfigError);
  CHECK_THROWS_AS(metrics.counter("a_total", "A.", {{"y", "1"}}), ConfigError);
  metrics.gauge("g", "G.");
  CHECK_THROWS_AS(static_cast<void>(metrics.gauge("g", "G.", {}, [] { return 1.0; })), ConfigError);
}

TEST_CASE("names that Prometheus cannot read are refused") {
  Metrics metrics;
  for (const char* name : {"", "1a", "a-b", "a b", "a{", "\xc3\xa4"}) {
    CAPTURE(name);
    CHECK_THROWS_AS(metrics.counter(name, ""), ConfigError);
  }
  for (const char* label : {"", "1a", "a-b", "a:b", "__name__", "le", "\xc3\xa4"}) {
    CAPTURE(label);
    CHECK_THROWS_AS(metrics.counter("a_total", "", {{label, "x"}}), ConfigError);
  }
  CHECK_THROWS_AS(metrics.counter("a_total", "", {{"x", "1"}, {"x", "2"}}), ConfigError);
  CHECK_NOTHROW(metrics.counter("ns:a_total", "", {{"_x9", "1"}}));
}

TEST_CASE("no family may look like a series of a histogram") {
  Metrics metrics;
  metrics.histogram("a_seconds", "A.");
  CHECK_THROWS_AS(metrics.counter("a_seconds_count", ""), ConfigError);
  CHECK_THROWS_AS(metrics.gauge("a_seconds_sum", ""), ConfigError);
  metrics.counter("b_bucket", "");
  CHECK_THROWS_AS(metrics.histogram("b", ""), ConfigError);
  CHECK_NOTHROW(metrics.counter("c_count", ""));
}

TEST_CASE("histogram bounds are finite and ascend") {
  Metrics metrics;
  constexpr std::array kFalling{2.0, 1.0};
  constexpr std::array kTwice{1.0, 1.0};
  constexpr std::array kInfinite{1.0, std::numeric_limits<double>::infinity()};
  CHECK_THROWS_AS(metrics.histogram("a", "", {}, kFalling), ConfigError);
  CHECK_THROWS_AS(metrics.histogram("a", "", {}, kTwice), ConfigError);
  CHECK_THROWS_AS(metrics.histogram("a", "", {}, kInfinite), ConfigError);
}

TEST_CASE("a callback gauge is read when visited, as long as its handle lives") {
  Metrics metrics;
  double depth = 7;
  {
    const CallbackGauge handle = metrics.gauge("depth", "D.", {}, [&depth] { return depth; });
    CHECK(metrics.prometheus().find("\ndepth 7\n") != std::string::npos);
    depth = 8;
    CHECK(metrics.prometheus().find("\ndepth 8\n") != std::string::npos);
  }
  CHECK(metrics.prometheus().empty());
}

TEST_CASE("callback gauges under one name add up, and one that throws has no value") {
  Metrics metrics;
  CallbackGauge one = metrics.gauge("depth", "D.", {}, [] { return 1.0; });
  const CallbackGauge two = metrics.gauge("depth", "D.", {}, [] { return 2.0; });
  const CallbackGauge bad =
      metrics.gauge("depth", "D.", {}, []() -> double { throw std::runtime_error("no"); });
  CHECK(metrics.prometheus().find("\ndepth 3\n") != std::string::npos);
  one.reset();
  CHECK(metrics.prometheus().find("\ndepth 2\n") != std::string::npos);
}

TEST_CASE("a callback may use the registry, and a handle may outlive it") {
  CallbackGauge handle;
  {
    Metrics metrics;
    handle = metrics.gauge("depth", "D.", {}, [&metrics] {
      metrics.counter("seen_total", "S.").inc();
      return 1.0;
    });
    CHECK(metrics.prometheus().find("\ndepth 1\n") != std::string::npos);
  }
  handle.reset();
}

TEST_CASE("a visitor gets every series with its name, help, bounds and labels") {
  struct Recorder final : aiserve::MetricVisitor {
    void counter(const MetricFamily& family, const Labels& labels, std::uint64_t value) override {
      seen.push_back(std::string(family.name) + "/" + labels.begin()->value + "=" +
                     std::to_string(value));
    }
    void gauge(const MetricFamily& family, const Labels&, double value) override {
      seen.push_back(std::string(family.help) + "=" + std::to_string(static_cast<int>(value)));
    }
    void histogram(const MetricFamily& family, const Labels&,
                   const HistogramSnapshot& snapshot) override {
      seen.push_back(std::to_string(family.bounds.size()) + ":" + std::to_string(snapshot.count()));
    }
    std::vector<std::string> seen{};
  };
  Metrics metrics;
  metrics.counter("c_total", "C.", {{"x", "1"}}).inc(5);
  metrics.gauge("g", "Help of g").set(3);
  metrics.histogram("h", "H.", {}, aiserve::bounds::sizes()).observe(1);
  auto& tenants = metrics.bounded_label("tenant", 2);
  metrics.counter("t_total", "T.", tenants, {{"a", "z"}}).inc("acme", 4);
  Recorder recorder;
  metrics.visit(recorder);
  CHECK(recorder.seen == std::vector<std::string>{"c_total/1=5", "Help of g=3", "11:1",
                                                  "t_total/z=0", "t_total/z=4"});
}

TEST_CASE("a bounded label is exported as a label like any other") {
  Metrics metrics;
  auto& tenants = metrics.bounded_label("tenant", 1);
  CHECK(&metrics.bounded_label("tenant") == &tenants);
  auto& requests = metrics.counter("t_total", "T.", tenants, {{"route", "/x"}});
  CHECK(&metrics.counter("t_total", "T.", tenants, {{"route", "/x"}}) == &requests);
  requests.inc("acme", 2);
  requests.inc("evil", 3);
  CHECK(metrics.prometheus() ==
        "# HELP t_total T.\n"
        "# TYPE t_total counter\n"
        "t_total{route=\"/x\",tenant=\"other\"} 3\n"
        "t_total{route=\"/x\",tenant=\"acme\"} 2\n");
  CHECK_THROWS_AS(metrics.counter("t_total", "T.", {{"route", "/x"}}), ConfigError);
  CHECK_THROWS_AS(metrics.counter("u_total", "U.", tenants, {{"tenant", "x"}}), ConfigError);
}
