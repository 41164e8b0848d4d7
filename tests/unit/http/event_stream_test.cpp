#include "aiserve/http/event_stream.hpp"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "http/event_queue.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;

std::string wire(const Event& event) {
  std::string out;
  return detail::append_event(out, event) ? out : "refused";
}

TEST_CASE("an event is written field by field") {
  CHECK(wire({.event = "stats", .data = "{}", .id = "7", .retry = 1500ms}) ==
        "event: stats\nid: 7\nretry: 1500\ndata: {}\n\n");
  CHECK(wire({}) == "data: \n\n");
}

TEST_CASE("no data can end its event or forge another field") {
  CHECK(wire({.data = "a\nb"}) == "data: a\ndata: b\n\n");
  CHECK(wire({.data = "a\r\nb"}) == "data: a\ndata: b\n\n");
  CHECK(wire({.data = "a\rb"}) == "data: a\ndata: b\n\n");
  CHECK(wire({.data = "a\n\nevent: evil"}) == "data: a\ndata: \ndata: event: evil\n\n");
  CHECK(wire({.data = "a\n"}) == "data: a\ndata: \n\n");
}

TEST_CASE("line breaks and NUL in type or id are refused") {
  using namespace std::string_view_literals;
  for (const std::string_view bad : {"a\nb"sv, "a\rb"sv, "a\0b"sv}) {
    CHECK(wire({.event = bad}) == "refused");
    CHECK(wire({.id = bad}) == "refused");
  }
}

TEST_CASE("handles of one stream share its end") {
  auto queue = std::make_shared<detail::EventQueue>(100, nullptr);
  const EventStream stream(queue);
  const EventStream copy = stream;
  CHECK(copy.send({.event = "bad\n"}).error().code() == Errc::invalid_argument);
  CHECK(copy.open());
  queue->gone(CancelReason::client_gone);
  CHECK_FALSE(stream.open());
  CHECK(stream.send({}).error().code() == Errc::cancelled);
}

}  // namespace
}  // namespace aiserve::http
