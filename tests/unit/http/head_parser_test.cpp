#include "http/head_parser.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

namespace aiserve::http::detail {
namespace {

using Outcome = HeadParser::Outcome;

struct Parsed {
  Outcome outcome = Outcome::more;
  int status = 0;
  std::string reason;
  std::string bytes;
  Head head;

  std::string path() const { return std::string(head.path.in(bytes.data())); }
  std::string header(std::size_t i) const {
    return std::string(head.headers[i].name.in(bytes.data())) + "=" +
           std::string(head.headers[i].value.in(bytes.data()));
  }
};

Parsed parse_in_slices(std::string_view text, std::size_t slice, const HeadLimits& limits = {}) {
  Parsed parsed;
  HeadParser parser;
  for (std::size_t end = slice; parsed.outcome == Outcome::more; end += slice) {
    parsed.bytes = text.substr(0, end);  // a new block each time: no view may outlive a call
    parsed.outcome = parser.parse(parsed.bytes, limits, parsed.head);
    if (end >= text.size()) break;
  }
  parsed.status = parser.status();
  parsed.reason = parser.reason();
  return parsed;
}

// Whole, byte by byte and in sevens: the outcome must not depend on how the bytes come.
Parsed parse(std::string_view text, const HeadLimits& limits = {}) {
  Parsed whole = parse_in_slices(text, std::max<std::size_t>(text.size(), 1), limits);
  for (const std::size_t slice : {std::size_t{1}, std::size_t{7}}) {
    const Parsed sliced = parse_in_slices(text, slice, limits);
    CHECK(sliced.outcome == whole.outcome);
    CHECK(sliced.status == whole.status);
  }
  return whole;
}

int status_of(std::string_view text, const HeadLimits& limits = {}) {
  const Parsed parsed = parse(text, limits);
  if (parsed.outcome == Outcome::done) return 200;
  return parsed.outcome == Outcome::more ? 100 : parsed.status;
}

std::string get_with(std::string_view fields) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}

TEST_CASE("a plain head gives method, path, query and trimmed fields") {
  const Parsed parsed = parse(
      "POST /v1/a%20b?x=1&y=2 HTTP/1.1\r\nHost: example.com:8080\r\nX-Name: \t two words \r\n"
      "Content-Length: 12\r\n\r\nbody follows");
  REQUIRE(parsed.outcome == Outcome::done);
  CHECK(parsed.head.method == Method::post);
  CHECK(parsed.path() == "/v1/a%20b");
  CHECK(parsed.head.query.in(parsed.bytes.data()) == "x=1&y=2");
  CHECK(parsed.head.host.in(parsed.bytes.data()) == "example.com:8080");
  CHECK(parsed.head.header_count == 3);
  CHECK(parsed.header(1) == "X-Name=two words");
  CHECK(parsed.head.content_length == 12);
  CHECK(parsed.head.bytes == parsed.bytes.size() - std::string_view("body follows").size());
  CHECK(parsed.head.keep_alive);
}

TEST_CASE("a head needs no more than its own bytes and waits for its last one") {
  const std::string text = get_with("Accept: */*\r\n");
  for (std::size_t n = 0; n < text.size(); ++n) {
    CHECK(parse_in_slices(std::string_view(text).substr(0, n), n + 1).outcome == Outcome::more);
  }
  CHECK(parse(text).outcome == Outcome::done);
}

TEST_CASE("every method the server routes is known, others are 501") {
  for (const char* method : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
    CHECK(status_of(std::string(method) + " / HTTP/1.1\r\nHost: a\r\n\r\n") == 200);
  }
  for (const char* method :
       {"get", "TRACE", "MKCOLA", "PRI", "SOMETHING-RATHER-LONG-WITHOUT-END"}) {
    CHECK(status_of(std::string(method) + " / HTTP/1.1\r\nHost: a\r\n\r\n") == 501);
  }
  CHECK(status_of("G\x01T / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(status_of(" GET / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
}

TEST_CASE("versions but 1.0 and 1.1 are refused") {
  CHECK(status_of("GET / HTTP/1.0\r\n\r\n") == 200);
  CHECK(status_of("GET / HTTP/2.0\r\nHost: a\r\n\r\n") == 505);
  CHECK(status_of("GET / HTTP/1.2\r\nHost: a\r\n\r\n") == 505);
  for (const char* version :
       {"HTTP/11", "http/1.1", "HTTP/1.1 ", "HTTP/1,1", "ICE/1.0", "HTTP/ 1.1"}) {
    CHECK(status_of("GET / " + std::string(version) + "\r\nHost: a\r\n\r\n") == 400);
  }
  CHECK(status_of("GET /\r\n\r\n") == 400);
}

TEST_CASE("one empty line may come before a request, not two") {
  CHECK(status_of("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n") == 200);
  CHECK(status_of("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(status_of("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
}

TEST_CASE("lines must end in CR LF") {
  CHECK(status_of("GET / HTTP/1.1\nHost: a\r\n\r\n") == 400);
  CHECK(status_of("GET / HTTP/1.1\r\nHost: a\n\r\n") == 400);
  CHECK(status_of(get_with("A: b\rC: d\r\n")) == 400);
  CHECK(status_of(get_with("A: b\r\r\n")) == 400);
  CHECK(status_of("GET / HTTP/1.1\r\nHost: a\r\n\n") == 400);
  CHECK(status_of("GET / HTTP/1.1\r\nHost: a\r\n\rX") == 400);
}

TEST_CASE("folded lines, spaces before the colon and odd names are refused") {
  CHECK(status_of(get_with("A: b\r\n c\r\n")) == 400);
  CHECK(status_of(get_with("A: b\r\n\tc\r\n")) == 400);
  CHECK(status_of("GET / HTTP/1.1\r\n Host: a\r\n\r\n") == 400);
  for (const char* name : {"A ", "A\t", "", "A(b)", "A@", "\xc3\xa4", "A\x01"}) {
    CHECK(status_of(get_with(std::string(name) + ": x\r\n")) == 400);
  }
  CHECK(status_of(get_with("no colon\r\n")) == 400);
}

TEST_CASE("control characters are refused wherever they stand in a value") {
  using namespace std::string_view_literals;
  for (std::size_t at = 0; at < 20; ++at) {
    for (const char bad : {'\0', '\x01', '\x0b', '\x1f', '\x7f'}) {
      std::string value(20, 'v');
      value[at] = bad;
      CHECK(status_of(get_with("A: " + value + "\r\n")) == 400);
    }
    for (const char good : {'\t', ' ', '~', '\x80', '\xff'}) {
      std::string value(20, 'v');
      value[at] = good;
      CHECK(status_of(get_with("A: " + value + "\r\n")) == 200);
    }
  }
  CHECK(status_of("GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n"sv) == 400);
}

TEST_CASE("exactly one valid Host is required on HTTP/1.1") {
  const auto with_host = [](std::string_view fields) {
    return status_of("GET / HTTP/1.1\r\n" + std::string(fields) + "\r\n");
  };
  for (const char* host :
       {"a", "a:80", "example.com", "127.0.0.1:8080", "[::1]", "[::1]:80", "a_b"}) {
    CHECK(with_host("Host: " + std::string(host) + "\r\n") == 200);
  }
  for (const char* host : {"", "u@a", "a/b", "a b", "a,b", "a:b", "a:123456", "[::1", "[]", "[x]",
                           ":80", "a?b", "a\\b", "[::1]x", "\xc3\xa4"}) {
    CHECK(with_host("Host: " + std::string(host) + "\r\n") == 400);
  }
  CHECK(with_host("") == 400);
  CHECK(with_host("Host: a\r\nHost: a\r\n") == 400);
  CHECK(with_host("Host: a\r\nhOST: b\r\n") == 400);
  CHECK(status_of("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n") == 400);
}

TEST_CASE("Content-Length is one field of digits") {
  CHECK(parse(get_with("Content-Length: 003\r\n")).head.content_length == 3);
  CHECK(parse(get_with("Content-Length: 999999999999999999\r\n")).outcome == Outcome::done);
  for (const char* value : {"", "-1", "+1", "0x10", "1 2", "1,1", "1.0", "1e3",
                            "1000000000000000000", "99999999999999999999999"}) {
    CHECK(status_of(get_with("Content-Length: " + std::string(value) + "\r\n")) == 400);
  }
  CHECK(status_of(get_with("Content-Length: 3\r\nContent-Length: 3\r\n")) == 400);
}

TEST_CASE("Transfer-Encoding is one field saying chunked, on HTTP/1.1, without Content-Length") {
  CHECK(parse(get_with("Transfer-Encoding: Chunked \r\n")).head.chunked);
  for (const char* value :
       {"", "gzip", "chunked, gzip", "gzip, chunked", "xchunked", "identity", "chunked,",
        "\xa0"
        "chunked",
        "chunked;q=1", "chunked chunked"}) {
    CHECK(status_of(get_with("Transfer-Encoding: " + std::string(value) + "\r\n")) == 400);
  }
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  CHECK(status_of(get_with(chunked + chunked)) == 400);
  CHECK(status_of(get_with(chunked + "Content-Length: 3\r\n")) == 400);
  CHECK(status_of(get_with("Content-Length: 0\r\n" + chunked)) == 400);
  CHECK(status_of("GET / HTTP/1.0\r\n" + chunked + "\r\n") == 400);
}

TEST_CASE("Connection and the version decide whether the connection is kept") {
  const auto kept = [](std::string_view version, std::string_view fields) {
    return parse("GET / HTTP/" + std::string(version) + "\r\nHost: a\r\n" + std::string(fields) +
                 "\r\n")
        .head.keep_alive;
  };
  CHECK(kept("1.1", ""));
  CHECK_FALSE(kept("1.1", "Connection: close\r\n"));
  CHECK_FALSE(kept("1.1", "Connection: Foo , CLOSE\r\n"));
  CHECK_FALSE(kept("1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
  CHECK_FALSE(kept("1.0", ""));
  CHECK(kept("1.0", "Connection: Keep-Alive\r\n"));
  CHECK_FALSE(kept("1.0", "Connection: keep-alive, close\r\n"));
}

TEST_CASE("the only expectation is 100-continue") {
  CHECK(parse(get_with("Expect: 100-Continue\r\n")).head.expect_continue);
  CHECK(status_of(get_with("Expect: 200-ok\r\n")) == 417);
  CHECK_FALSE(parse("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").head.expect_continue);
}

TEST_CASE("targets are origin-form, OPTIONS *, or an absolute-form that agrees with Host") {
  const auto target = [](std::string_view method, std::string_view text) {
    return parse(std::string(method) + " " + std::string(text) + " HTTP/1.1\r\nHost: a:80\r\n\r\n");
  };
  CHECK(target("OPTIONS", "*").outcome == Outcome::done);
  CHECK(target("GET", "http://A:80/x?y").path() == "/x");
  CHECK(target("GET", "http://a:80?y").path().empty());
  for (const char* bad : {"*", "x", "a:80", "http:/a:80/", "ftp://a:80/", "http://b/",
                          "http://u@a:80/", "http:///x", "/a#b", "/\xc3\xa4", "http://"}) {
    CHECK(target("GET", bad).status == 400);
  }
  CHECK(parse("GET http://a/x HTTP/1.0\r\n\r\n").outcome == Outcome::done);
}

TEST_CASE("what is too long is 414 or 431 as soon as it shows") {
  const HeadLimits limits{.head_bytes = 256, .target_bytes = 64, .headers = 3};
  CHECK(status_of("GET /" + std::string(63, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", limits) == 200);
  CHECK(status_of("GET /" + std::string(64, 'a'), limits) == 414);
  CHECK(status_of("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(300, 'a'), limits) == 431);
  CHECK(status_of("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(100, 'a'), limits) == 100);
  CHECK(status_of(get_with("A: 1\r\nB: 2\r\n"), limits) == 200);
  CHECK(status_of(get_with("A: 1\r\nB: 2\r\nC: 3\r\n"), limits) == 431);
  const std::string most = get_with("A: " + std::string(256 - 32, 'a') + "\r\n");
  REQUIRE(most.size() == 256);
  CHECK(status_of(most, limits) == 200);
  CHECK(status_of(get_with("A: " + std::string(257 - 32, 'a') + "\r\n"), limits) == 431);
}

TEST_CASE("bytes behind the head do not count against its limit") {
  const HeadLimits limits{.head_bytes = 64, .target_bytes = 32, .headers = 3};
  CHECK(parse_in_slices(get_with("") + std::string(1000, 'x'), 2000, limits).outcome ==
        Outcome::done);
}

TEST_CASE("a parser that was reset parses the next head") {
  HeadParser parser;
  Head head;
  const std::string first = get_with("Content-Length: 5\r\nConnection: close\r\n");
  REQUIRE(parser.parse(first, {}, head) == Outcome::done);
  parser.reset();
  const std::string second = get_with("");
  REQUIRE(parser.parse(second, {}, head) == Outcome::done);
  CHECK(head.content_length == 0);
  CHECK(head.keep_alive);
  CHECK(head.header_count == 1);
}

}  // namespace
}  // namespace aiserve::http::detail
