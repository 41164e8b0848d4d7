#include <aiserve/core/error.hpp>
#include <aiserve/core/tracer.hpp>
#include <aiserve/testing/manual_clock.hpp>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <doctest/doctest.h>

using aiserve::Span;
using aiserve::SpanRecord;
using aiserve::TraceParent;
using aiserve::Tracer;
using namespace std::chrono_literals;

namespace {

struct Exported {
  aiserve::testing::ManualClock clock{};
  std::vector<SpanRecord> spans{};
  std::size_t batches = 0;

  aiserve::TracerOptions options() {
    return {.exporter =
                [this](std::span<const SpanRecord> records) {
                  spans.insert(spans.end(), records.begin(), records.end());
                  ++batches;
                },
            .clock = &clock};
  }
};

const TraceParent kParent = TraceParent::generate(true);

}  // namespace

TEST_CASE("without an exporter nothing is recorded and the parent is passed on as it is") {
  Tracer tracer;
  CHECK_FALSE(tracer.enabled());
  Span span = tracer.start("work", kParent);
  CHECK_FALSE(span.recording());
  CHECK(span.context() == kParent);
  span.set("size", 1);
  span.link(kParent);
  span.fail("no");
  span.end();
  CHECK_FALSE(tracer.begin().sampled());
  CHECK(tracer.begin().valid());
}

TEST_CASE("an ended span reaches the exporter with all it was told") {
  Exported out;
  Tracer tracer(out.options());
  const TraceParent member = TraceParent::generate(true);
  Span span = tracer.start("batch", kParent);
  CHECK(span.context().trace_id() == kParent.trace_id());
  CHECK(span.context().span_id() != kParent.span_id());
  span.set("size", 32);
  span.set("model", "m");
  span.set("load", 0.5);
  span.set("full", true);
  span.link(member);
  span.fail("out of memory");
  out.clock.advance(15ms);
  const TraceParent context = span.context();
  span.end();
  span.end();
  CHECK(out.spans.empty());  // not before somebody flushes
  tracer.flush();
  REQUIRE(out.spans.size() == 1);
  const SpanRecord& record = out.spans[0];
  CHECK(record.name == "batch");
  CHECK(record.context == context);
  CHECK(record.parent == kParent.span_id());
  CHECK(record.duration == 15ms);
  CHECK(record.start == out.clock.wall_now() - 15ms);
  CHECK(record.error == "out of memory");
  REQUIRE(record.attributes.size() == 4);
  CHECK(std::get<std::int64_t>(record.attributes[0].value) == 32);
  CHECK(std::get<std::string>(record.attributes[1].value) == "m");
  CHECK(std::get<double>(record.attributes[2].value) == 0.5);
  CHECK(std::get<bool>(record.attributes[3].value));
  CHECK(record.links == std::vector<TraceParent>{member});
}

TEST_CASE("a span ends with its scope, and when another takes its place") {
  Exported out;
  Tracer tracer(out.options());
  {
    Span span = tracer.start("one", kParent);
    span = tracer.start("two", kParent);
    const Span moved = std::move(span);
    tracer.flush();
    CHECK(out.spans.size() == 1);
  }
  tracer.flush();
  REQUIRE(out.spans.size() == 2);
  CHECK(out.spans[0].name == "one");
  CHECK(out.spans[1].name == "two");
}

TEST_CASE("traces that are not sampled are not recorded") {
  Exported out;
  Tracer tracer(out.options());
  const TraceParent unsampled = TraceParent::generate(false);
  CHECK_FALSE(tracer.start("work", unsampled).recording());
  CHECK(tracer.start("work", unsampled).context() == unsampled);
  CHECK_FALSE(tracer.start("work", TraceParent()).recording());
}

TEST_CASE("a trace from outside is continued, a new one is sampled by the ratio") {
  Exported out;
  Tracer tracer(out.options());
  CHECK(tracer.begin(kParent) == kParent);
  CHECK(tracer.begin(TraceParent()).valid());
  CHECK(tracer.begin().sampled());
  auto half = out.options();
  half.sample_ratio = 0.5;
  Tracer some(std::move(half));
  int sampled = 0;
  for (int i = 0; i < 2000; ++i) sampled += some.begin().sampled() ? 1 : 0;
  CHECK(sampled > 800);
  CHECK(sampled < 1200);
}

TEST_CASE("the root span of a trace begun here is the one its children name as parent") {
  Exported out;
  Tracer tracer(out.options());
  const TraceParent trace = tracer.begin();
  {
    const Span root = tracer.start_root("request", trace);
    CHECK(root.context() == trace);
    const Span child = tracer.start("infer", root.context());
  }
  tracer.flush();
  REQUIRE(out.spans.size() == 2);
  CHECK(out.spans[0].parent == out.spans[1].context.span_id());
  CHECK(out.spans[1].parent == TraceParent::SpanId{});
}

TEST_CASE("a full queue drops the newest and counts them") {
  Exported out;
  auto options = out.options();
  options.queue = 3;
  Tracer tracer(std::move(options));
  for (int i = 0; i < 5; ++i) tracer.start(std::to_string(i), kParent).end();
  CHECK(tracer.dropped() == 2);
  tracer.flush();
  REQUIRE(out.spans.size() == 3);
  CHECK(out.spans[2].name == "2");
  tracer.start("later", kParent).end();
  tracer.flush();
  CHECK(out.spans.size() == 4);
}

TEST_CASE("the exporter gets batches of at most 512") {
  Exported out;
  Tracer tracer(out.options());
  for (int i = 0; i < 1100; ++i) tracer.start("x", kParent).end();
  tracer.flush();
  CHECK(out.batches == 3);
  CHECK(out.spans.size() == 1100);
}

TEST_CASE("an exporter that throws loses its batch and nothing else") {
  int calls = 0;
  Tracer tracer({.exporter = [&calls](std::span<const SpanRecord>) {
    if (++calls == 1) throw std::runtime_error("refused");
  }});
  tracer.start("a", kParent).end();
  tracer.flush();
  CHECK(tracer.dropped() == 1);
  tracer.start("b", kParent).end();
  tracer.flush();
  CHECK(calls == 2);
  CHECK(tracer.dropped() == 1);
}

TEST_CASE("the destructor hands over what waits") {
  Exported out;
  {
    Tracer tracer(out.options());
    tracer.start("last", kParent).end();
  }
  CHECK(out.spans.size() == 1);
}

TEST_CASE("what one span holds is bounded") {
  Exported out;
  Tracer tracer(out.options());
  Span span = tracer.start(std::string(5000, 'n'), kParent);
  for (int i = 0; i < 100; ++i) {
    span.set(std::string(5000, 'k'), std::string(5000, 'v'));
    span.link(kParent);
  }
  span.end();
  tracer.flush();
  const SpanRecord& record = out.spans.at(0);
  CHECK(record.name.size() == Span::kMaxText);
  CHECK(record.attributes.size() == Span::kMaxAttributes);
  CHECK(record.links.size() == Span::kMaxAttributes);
  CHECK(std::get<std::string>(record.attributes[0].value).size() == Span::kMaxText);
}

TEST_CASE("tracer options out of range are configuration errors") {
  CHECK_THROWS_AS(Tracer({.queue = 0}), aiserve::ConfigError);
  CHECK_THROWS_AS(Tracer({.sample_ratio = 1.5}), aiserve::ConfigError);
  CHECK_THROWS_AS(Tracer({.sample_ratio = std::nan("")}), aiserve::ConfigError);
}
