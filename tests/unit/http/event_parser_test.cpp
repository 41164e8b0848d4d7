#include "http/client/event_parser.hpp"

#include <vector>

#include <doctest/doctest.h>

namespace aiserve::http::detail {
namespace {

std::string shown(EventParser& parser) {
  std::string text;
  while (const auto event = parser.next()) {
    text += event->type + "[" + event->data + "]" + event->id + ";";
  }
  return text;
}

// Whole and byte by byte: what comes of it must not depend on how it comes.
std::string parse(std::string_view text) {
  EventParser whole(1024);
  CHECK(whole.feed(text));
  std::string events = shown(whole);
  EventParser sliced(1024);
  for (const char c : text) CHECK(sliced.feed({&c, 1}));
  CHECK(shown(sliced) == events);
  return events;
}

TEST_CASE("the examples of the standard are read as it says") {
  CHECK(parse("data: YHOO\ndata: +2\ndata: 10\n\n") == "message[YHOO\n+2\n10];");
  CHECK(parse(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\n"
              "data:  third event\n\n") ==
        "message[first event]1;message[second event];"
        "message[ third event];");
  CHECK(parse("data\n\ndata\ndata\n\ndata:") == "message[];message[\n];");
  CHECK(parse("data:test\n\ndata: test\n\n") == "message[test];message[test];");
}

TEST_CASE("lines end with LF, CR or both") {
  CHECK(parse("data: a\r\n\r\ndata: b\r\rdata: c\n\n") == "message[a];message[b];message[c];");
  CHECK(parse("data: a\r\ndata: b\r\n\r\n") == "message[a\nb];");
}

TEST_CASE("types belong to one event, ids to all that follow") {
  CHECK(parse("event: tick\ndata: 1\nid: x\n\ndata: 2\n\nevent: lost\n\ndata: 3\n\n") ==
        "tick[1]x;message[2]x;message[3]x;");
}

TEST_CASE("a byte order mark, unknown fields and comments are passed over") {
  CHECK(parse("\xef\xbb\xbfid: 1\ndata: a\n:x\nfoo: bar\n Data: no\n\n") == "message[a]1;");
}

TEST_CASE("ids that could not be sent back are none") {
  CHECK(parse(std::string_view("id: a\0b\ndata: 1\n\n", 17)) == "message[1];");
  CHECK(parse("id: a\x01\ndata: 1\n\n") == "message[1];");
  CHECK(parse("id:  a\ndata: 1\n\n") == "message[1];");
}

TEST_CASE("ids beyond 1 KiB are none") {
  EventParser parser(1024 * 1024);
  CHECK(parser.feed("id: " + std::string(1024, 'a') + "\ndata: 1\n\n"));
  CHECK(parser.next()->id.size() == 1024);
  CHECK(parser.feed("id: " + std::string(1025, 'b') + "\ndata: 2\n\n"));
  CHECK(parser.next()->id == std::string(1024, 'a'));
}

TEST_CASE("events nobody has taken stay bytes, and their ids are not the last") {
  EventParser parser(1024);
  std::string many = "id: 1\n";
  for (int i = 0; i < 1'000; ++i) many += "data\n\n";
  CHECK(parser.feed(many + "id: 2\ndata\n\n"));
  CHECK(parser.last_id() == "1");
  for (int i = 0; i < 1'000; ++i) CHECK(parser.next()->id == "1");
  CHECK(parser.next()->id == "2");
  CHECK_FALSE(parser.next().has_value());
}

TEST_CASE("what comes before an event that is too large is given first") {
  EventParser parser(1024);
  CHECK(parser.feed("data: a\n\ndata: b\r\n\r\ndata: " + std::string(2'000, 'x')));
  CHECK(shown(parser) == "message[a];message[b];");
  CHECK(parser.failed());
  CHECK_FALSE(parser.feed("\n\ndata: c\n\n"));
  CHECK(shown(parser).empty());
}

TEST_CASE("retry is digits only, and bounded") {
  EventParser parser(1024);
  CHECK(parser.feed("retry: 2500\n"));
  CHECK(parser.retry() == std::chrono::milliseconds(2500));
  CHECK(parser.feed("retry: 1s\nretry: -1\nretry:\nretry: +5\n"));
  CHECK(parser.retry() == std::chrono::milliseconds(2500));
  CHECK(parser.feed("retry: 99999999999999999999\n"));
  CHECK(parser.retry() == std::chrono::hours(24));
}

TEST_CASE("lines and events beyond the bound are refused") {
  EventParser long_line(1024);
  CHECK_FALSE(long_line.feed("data: " + std::string(2'000, 'x')));
  EventParser endless(1024);
  bool fits = true;
  for (int i = 0; i < 1'000 && fits; ++i) fits = endless.feed("data: 0123456789\n");
  CHECK_FALSE(fits);
  EventParser dribble(1024);
  fits = true;
  for (int i = 0; i < 2'000 && fits; ++i) fits = dribble.feed("x");
  CHECK_FALSE(fits);
}

TEST_CASE("after a restart what was incomplete is gone and the last id stays") {
  EventParser parser(1024);
  CHECK(parser.feed("id: 7\ndata: a\n\nid: 8\nevent: x\ndata: lost"));
  CHECK(shown(parser) == "message[a]7;");
  parser.restart();
  CHECK(parser.last_id() == "7");
  CHECK(parser.feed("data: b\n\n"));
  CHECK(shown(parser) == "message[b]7;");
}

}  // namespace
}  // namespace aiserve::http::detail
