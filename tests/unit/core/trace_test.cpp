#include <aiserve/core/trace.hpp>

#include <doctest/doctest.h>

using aiserve::bounded_trace_state;
using aiserve::TraceParent;

namespace {
// The example of the recommendation, section 3.2.
const std::string kExample = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

bool accepts(std::string header) { return TraceParent::parse(header).has_value(); }
}  // namespace

TEST_CASE("the example of the recommendation is read and written back") {
  const auto parent = TraceParent::parse(kExample);
  REQUIRE(parent);
  CHECK(parent->trace_text().view() == "0af7651916cd43dd8448eb211c80319c");
  CHECK(parent->span_text().view() == "b7ad6b7169203331");
  CHECK(parent->sampled());
  CHECK(parent->text().view() == kExample);
}

TEST_CASE("only the sampled bit of the flags is known") {
  CHECK_FALSE(
      TraceParent::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")->sampled());
  CHECK_FALSE(
      TraceParent::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-fe")->sampled());
  CHECK(TraceParent::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff")->sampled());
}

TEST_CASE("a traceparent that breaks a rule is refused") {
  CHECK_FALSE(accepts(""));
  CHECK_FALSE(accepts("ff" + kExample.substr(2)));                                  // version
  CHECK_FALSE(accepts("00-00000000000000000000000000000000-b7ad6b7169203331-01"));  // trace id
  CHECK_FALSE(accepts("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"));  // span id
  CHECK_FALSE(accepts("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"));  // upper case
  CHECK_FALSE(accepts("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x"));  // no hex
  CHECK_FALSE(accepts("00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));  // dash
  CHECK_FALSE(accepts("00-0af7651916cd43dd8448eb211c80319cb-7ad6b7169203331-01"));  // shifted
  CHECK_FALSE(accepts(kExample.substr(0, 54)));                                     // short
  CHECK_FALSE(accepts(kExample + "-"));                                             // long
  CHECK_FALSE(accepts(" " + kExample));
  CHECK_FALSE(accepts(kExample + " "));
}

TEST_CASE("later versions may be longer, behind a dash, and are answered as version 00") {
  CHECK(accepts("cc" + kExample.substr(2)));
  CHECK(accepts("cc" + kExample.substr(2) + "-what-the-future-will-be-like"));
  CHECK_FALSE(accepts("cc" + kExample.substr(2) + ".what-the-future-will-be-like"));
  CHECK_FALSE(accepts("cc" + kExample.substr(2, 40)));
  CHECK(TraceParent::parse("cc" + kExample.substr(2) + "-x")->text().view() == kExample);
}

TEST_CASE("no single corrupted byte of a traceparent is mistaken for a valid one with other ids") {
  for (std::size_t i = 0; i < kExample.size(); ++i) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string header = kExample;
      header[i] = static_cast<char>(byte);
      const auto parsed = TraceParent::parse(header);
      if (!parsed) continue;
      CHECK(parsed->text().view().substr(3, 50) == std::string_view(header).substr(3, 50));
    }
  }
}

TEST_CASE("a child keeps trace and flag and has a span id of its own") {
  const TraceParent parent = TraceParent::generate(true);
  CHECK(parent.valid());
  const TraceParent child = parent.child();
  CHECK(child.trace_id() == parent.trace_id());
  CHECK(child.span_id() != parent.span_id());
  CHECK(child.sampled());
  CHECK(TraceParent::parse(child.text()) == child);
}

TEST_CASE("no trace has a child that starts one") {
  CHECK_FALSE(TraceParent().valid());
  CHECK(TraceParent().child().valid());
  CHECK(TraceParent::generate() != TraceParent::generate());
}

TEST_CASE("a tracestate is carried as it came, up to 512 bytes") {
  CHECK(bounded_trace_state("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7") ==
        "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7");
  CHECK(bounded_trace_state("").empty());
  CHECK(bounded_trace_state(std::string(512, 'a')).size() == 512);
}

TEST_CASE("a tracestate that is too long loses big entries first, then its end") {
  const std::string big = "big=" + std::string(200, 'b');
  const std::string small = "small=" + std::string(100, 's');
  CHECK(bounded_trace_state(big + "," + small + "," + small + "," + small) ==
        small + "," + small + "," + small);
  std::string many = small;
  for (int i = 0; i < 9; ++i) many += "," + small;
  CHECK(bounded_trace_state(many) == small + "," + small + "," + small + "," + small);
  CHECK(bounded_trace_state(std::string(100'000, 'x')).empty());
  CHECK(bounded_trace_state(std::string(100'000, ',')).size() <= 512);
}

TEST_CASE("a tracestate that could break a header or a line is dropped") {
  CHECK(bounded_trace_state("a=1\r\nevil: 1").empty());
  CHECK(bounded_trace_state(std::string("a=\0", 3)).empty());
  CHECK(bounded_trace_state("a=\xc3\xa4").empty());
}
