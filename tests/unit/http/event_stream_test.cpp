#include "aiserve/http/event_stream.hpp"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "aiserve/core/metrics.hpp"
#include "http/event_queue.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;

std::string wire(const Event& event) {
  const Result<Bytes> encoded = detail::encode(event);
  return encoded.ok() ? encoded->to_string() : "refused";
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

TEST_CASE("a negative retry is refused") {
  CHECK(wire({.retry = -1ms}) == "refused");
  CHECK(wire({.retry = 0ms}) == "retry: 0\ndata: \n\n");
}

TEST_CASE("no comment can end its line") {
  CHECK(detail::encode_comment("a\nevent: b\r\n\rc").text() == ": a\n: event: b\n: \n: c\n\n");
}

std::string pulled(detail::EventQueue& queue) {
  std::vector<Bytes> pieces;
  (void)queue.pull(pieces);
  std::string text;
  for (const Bytes& piece : pieces) text += piece.text();
  return text;
}

TEST_CASE("a slow client that may lose events loses the oldest, and they are counted") {
  Metrics metrics;
  Counter& counter = metrics.counter("dropped_total", "x", {});
  detail::EventQueue queue(300, SlowClient::drop_oldest, nullptr, &counter);
  const EventStream stream(std::shared_ptr<detail::EventQueue>(&queue, [](auto*) {}));
  for (const char* const data : {"1", "2", "3", "4"}) CHECK(stream.send({.data = data}).ok());
  CHECK(pulled(queue) == "data: 3\n\ndata: 4\n\n");
  CHECK(stream.dropped() == 2);
  CHECK(counter.value() == 2);
  const std::string large(300, 'x');
  CHECK(stream.send({.data = large}).error().code() == Errc::too_large);
  CHECK(stream.dropped() == 3);
  CHECK(stream.open());
  CHECK(stream.comment("still here").ok());
  CHECK(pulled(queue) == ": still here\n\n");
}

TEST_CASE("small events are bounded by what keeping them costs") {
  detail::EventQueue queue(1000, SlowClient::disconnect, nullptr);
  int sent = 0;
  while (queue.send({.data = "x"}).ok()) ++sent;
  CHECK(sent == 1000 / static_cast<int>(9 + detail::EventQueue::kKeeping));
  std::vector<Bytes> pieces;
  CHECK(queue.pull(pieces) == detail::StreamSource::State::overflowed);
}

TEST_CASE("what waits leaves in parts, and the end comes behind the last") {
  detail::EventQueue queue(1'000'000, SlowClient::disconnect, nullptr);
  const std::string data(50'000, 'x');
  for (int i = 0; i < 3; ++i) CHECK(queue.send({.data = data}).ok());
  queue.close();
  std::vector<Bytes> pieces;
  CHECK(queue.pull(pieces) == detail::StreamSource::State::open);
  CHECK(pieces.size() == 2);
  CHECK(queue.pull(pieces) == detail::StreamSource::State::ended);
  CHECK(pieces.size() == 3);
}

TEST_CASE("handles of one stream share its end") {
  auto queue = std::make_shared<detail::EventQueue>(100, SlowClient::disconnect, nullptr);
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
