#include "http/client/response_parser.hpp"

#include <doctest/doctest.h>

namespace aiserve::http::detail {
namespace {

using Outcome = ResponseParser::Outcome;

struct Parsed {
  Outcome outcome = Outcome::more;  // done, failed, or more: all was taken
  int status = 0;
  std::string body;
  std::string reason;
  std::size_t surplus = 0;
  bool reusable = false;
  bool too_large = false;
  ResponseHead head;
};

struct How {
  bool bodiless = false;
  bool ends = false;  // the server ends its side behind the text
  ResponseLimits limits{.head_bytes = 1024, .headers = 8, .body_bytes = 1000};
};

Parsed parse_in_slices(std::string_view text, std::size_t slice, const How& how) {
  ResponseParser parser(how.limits, how.bodiless);
  Parsed parsed;
  while (!text.empty() && parsed.outcome == Outcome::more) {
    const std::string copy(text.substr(0, slice));  // no view may outlive its call
    std::string_view input = copy;
    do {
      std::string_view piece;
      parsed.outcome = parser.next(input, piece);
      if (parsed.outcome == Outcome::data) parsed.body += piece;
    } while (parsed.outcome == Outcome::data || parsed.outcome == Outcome::head);
    text.remove_prefix(copy.size() - input.size());
  }
  if (parsed.outcome == Outcome::more && how.ends) parsed.outcome = parser.end();
  parsed.surplus = text.size();
  parsed.head = parser.head();
  parsed.status = parsed.head.status;
  parsed.reason = parser.reason();
  parsed.too_large = parser.too_large();
  parsed.reusable = parsed.outcome == Outcome::done && parser.reusable();
  return parsed;
}

// Whole, byte by byte and in sevens: what comes of it must not depend on how it comes.
Parsed parse(std::string_view text, const How& how = {}) {
  Parsed whole = parse_in_slices(text, text.size() + 1, how);
  for (const std::size_t slice : {std::size_t{1}, std::size_t{7}}) {
    const Parsed sliced = parse_in_slices(text, slice, how);
    CHECK(sliced.outcome == whole.outcome);
    CHECK(sliced.reason == whole.reason);
    if (whole.outcome == Outcome::done) CHECK(sliced.body == whole.body);
  }
  return whole;
}

void refused(std::string_view text, const How& how = {}) {
  const Parsed parsed = parse(text, how);
  CHECK_MESSAGE(parsed.outcome == Outcome::failed, text);
  CHECK_FALSE(parsed.reason.empty());
}

TEST_CASE("an answer with Content-Length is read, and what follows is left") {
  const Parsed parsed =
      parse("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A:  b \r\n\r\nhelloHTTP/1.1 200 OK\r\n");
  CHECK(parsed.outcome == Outcome::done);
  CHECK(parsed.status == 200);
  CHECK(parsed.body == "hello");
  CHECK(parsed.head.field("x-a") == "b");
  CHECK(parsed.surplus == 17);
  CHECK(parsed.reusable);
}

TEST_CASE("a chunked answer is read, its extensions and trailers are dropped") {
  const Parsed parsed = parse(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nX-Late: 1\r\n\r\n");
  CHECK(parsed.outcome == Outcome::done);
  CHECK(parsed.body == "hello world");
  CHECK(parsed.head.field("x-late").empty());
  CHECK(parsed.reusable);
}

TEST_CASE("a body without a length goes to the end of the connection") {
  const How ending{.ends = true};
  const Parsed parsed = parse("HTTP/1.1 200 OK\r\n\r\nall of it", ending);
  CHECK(parsed.outcome == Outcome::done);
  CHECK(parsed.body == "all of it");
  CHECK_FALSE(parsed.reusable);
}

TEST_CASE("an answer that is cut is no answer") {
  const How ending{.ends = true};
  for (const std::string_view text :
       {"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
        "HTTP/1.1 200 OK\r\nContent-Len", "HTTP/1.1 200 OK\r\n\r", "HTTP",
        "HTTP/1.1 100 C\r\n\r\n"}) {
    refused(text, ending);
  }
}

TEST_CASE("answers to HEAD, 204 and 304 have no body") {
  const std::string head = "Content-Length: 5\r\n\r\n";
  const Parsed to_head = parse("HTTP/1.1 200 OK\r\n" + head, How{.bodiless = true});
  CHECK(to_head.outcome == Outcome::done);
  CHECK(to_head.reusable);
  for (const std::string_view line : {"HTTP/1.1 204 No Content\r\n", "HTTP/1.1 304 Same\r\n"}) {
    const Parsed parsed = parse(std::string(line) + head + "hello");
    CHECK(parsed.outcome == Outcome::done);
    CHECK(parsed.body.empty());
    CHECK(parsed.surplus == 5);
  }
}

TEST_CASE("interim answers are passed over, but not without end") {
  const std::string interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  const std::string last = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  const Parsed parsed = parse("HTTP/1.1 100 Continue\r\n\r\n" + interim + last);
  CHECK(parsed.status == 200);
  CHECK(parsed.head.field("link").empty());
  std::string many;
  for (int i = 0; i < 9; ++i) many += interim;
  refused(many + last);
  refused("HTTP/1.1 100 Continue\r\nContent-Length: 3\r\n\r\nabc" + last);
}

TEST_CASE("a change of protocol that nobody asked for is refused") {
  refused("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
}

TEST_CASE("framing that two readers could read in two ways is refused") {
  const auto with = [](std::string_view fields) {
    return "HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
  };
  for (const std::string_view fields :
       {"Content-Length: 5\r\nContent-Length: 5", "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5, 5", "Content-Length: +5", "Content-Length: -5", "Content-Length: 0x5",
        "Content-Length: 5 5", "Content-Length:", "Content-Length: 5a",
        "Content-Length: 9999999999999999999", "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Transfer-Encoding: gzip",
        "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: xchunked", "Transfer-Encoding:", "Transfer-Encoding: \vchunked"}) {
    refused(with(fields));
  }
  refused("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
}

TEST_CASE("heads that are not well-formed are refused") {
  for (const std::string_view text : {"HTTP/1.1 200 OK\nContent-Length: 0\n\n\r\n\r\n",
                                      "HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n",
                                      "HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n",
                                      "HTTP/1.1 200 OK\r\nA: b\r\n C: d\r\n\r\n",
                                      "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
                                      "HTTP/1.1 200 OK\r\n: b\r\n\r\n",
                                      "HTTP/1.1 200 OK\r\nnocolon\r\n\r\n",
                                      "HTTP/1.1 200 OK\r\nA\x80: b\r\n\r\n",
                                      "HTTP/1.1 200 OK\r\nA: b\x7f\r\n\r\n",
                                      "HTTP/1.1 20 OK\r\n\r\n",
                                      "HTTP/1.1 2000 OK\r\n\r\n",
                                      "HTTP/1.1 999 OK\r\n\r\n",
                                      "HTTP/1.1 000 OK\r\n\r\n",
                                      "HTTP/1.1  200 OK\r\n\r\n",
                                      "HTTP/1.1 2x0 OK\r\n\r\n",
                                      "HTTP/2.0 200 OK\r\n\r\n",
                                      "HTTP/1.2 200 OK\r\n\r\n",
                                      "http/1.1 200 OK\r\n\r\n",
                                      "ICY 200 OK\r\n\r\n",
                                      "\r\nHTTP/1.1 200 OK\r\n\r\n",
                                      "SSH-2.0-OpenSSH_9.2\r\n",
                                      "<html>",
                                      "\x15\x03\x01"}) {
    refused(text);
  }
  const std::string nul("HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n", 27);
  refused(nul);
}

TEST_CASE("a status line without a reason is an answer") {
  CHECK(parse("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n").outcome == Outcome::done);
  CHECK(parse("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n").outcome == Outcome::done);
}

TEST_CASE("heads and bodies beyond their limits are refused and called too large") {
  const std::string_view ok = "HTTP/1.1 200 OK\r\n";
  CHECK(parse(std::string(ok) + "A: " + std::string(2'000, 'a')).too_large);
  std::string many(ok);
  for (int i = 0; i < 9; ++i) many += "A: b\r\n";
  CHECK(parse(many + "\r\n").too_large);
  CHECK(parse(std::string(ok) + "Content-Length: 1001\r\n\r\n").too_large);
  CHECK(parse(std::string(ok) + "Transfer-Encoding: chunked\r\n\r\n3e9\r\n").too_large);
  CHECK(parse(std::string(ok) + "\r\n" + std::string(1'001, 'x')).too_large);
  const Parsed fits =
      parse(std::string(ok) + "Content-Length: 1000\r\n\r\n" + std::string(1'000, 'x'));
  CHECK(fits.outcome == Outcome::done);
}

TEST_CASE("a connection is used again only if both sides say so") {
  const auto reusable = [](std::string_view line, std::string_view fields) {
    return parse(std::string(line) + "\r\nContent-Length: 0\r\n" + std::string(fields) + "\r\n")
        .reusable;
  };
  CHECK(reusable("HTTP/1.1 200 OK", ""));
  CHECK_FALSE(reusable("HTTP/1.1 200 OK", "Connection: close\r\n"));
  CHECK_FALSE(reusable("HTTP/1.1 200 OK", "Connection: x, Close\r\n"));
  CHECK_FALSE(reusable("HTTP/1.1 200 OK", "Connection: keep-alive\r\nConnection: close\r\n"));
  CHECK_FALSE(reusable("HTTP/1.0 200 OK", ""));
  CHECK(reusable("HTTP/1.0 200 OK", "Connection: keep-alive\r\n"));
}

}  // namespace
}  // namespace aiserve::http::detail
