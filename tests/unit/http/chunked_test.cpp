#include "http/chunked.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

namespace aiserve::http::detail {
namespace {

using Outcome = ChunkedDecoder::Outcome;

struct Decoded {
  Outcome outcome = Outcome::more;
  int status = 0;
  std::string body;
  std::string rest;

  bool operator==(const Decoded&) const = default;
};

Decoded decode_in_slices(std::string_view text, std::size_t slice, const ChunkedLimits& limits) {
  ChunkedDecoder decoder(limits);
  Decoded decoded;
  std::size_t at = 0;
  while (at < text.size() && decoded.outcome == Outcome::more) {
    std::string_view input = text.substr(at, slice);
    const std::size_t given = input.size();
    std::string_view piece;
    while ((decoded.outcome = decoder.next(input, piece)) == Outcome::data) decoded.body += piece;
    at += given - input.size();
  }
  if (decoded.outcome == Outcome::done) decoded.rest = text.substr(at);
  decoded.status = decoder.status();
  return decoded;
}

Decoded decode(std::string_view text, const ChunkedLimits& limits = {}) {
  const Decoded whole = decode_in_slices(text, std::max<std::size_t>(text.size(), 1), limits);
  for (const std::size_t slice : {std::size_t{1}, std::size_t{2}, std::size_t{5}}) {
    CHECK(decode_in_slices(text, slice, limits).outcome == whole.outcome);
    CHECK(decode_in_slices(text, slice, limits).status == whole.status);
    if (whole.outcome == Outcome::done) CHECK(decode_in_slices(text, slice, limits) == whole);
  }
  return whole;
}

int status_of(std::string_view text, const ChunkedLimits& limits = {}) {
  const Decoded decoded = decode(text, limits);
  if (decoded.outcome == Outcome::done) return 200;
  return decoded.outcome == Outcome::more ? 100 : decoded.status;
}

TEST_CASE("chunks are joined and the bytes behind them left alone") {
  const Decoded decoded = decode("5\r\nhello\r\n6\r\n world\r\n000\r\n\r\nGET / HTTP/1.1");
  CHECK(decoded.outcome == Outcome::done);
  CHECK(decoded.body == "hello world");
  CHECK(decoded.rest == "GET / HTTP/1.1");
}

TEST_CASE("sizes are hexadecimal in either case and bounded in digits") {
  CHECK(decode("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n").body.size() == 20);
  CHECK(status_of("0000000000000001\r\nx\r\n0\r\n\r\n") == 200);
  CHECK(status_of("00000000000000001\r\nx\r\n0\r\n\r\n") == 400);
  CHECK(status_of("ffffffffffffffff\r\n") == 413);
}

TEST_CASE("malformed sizes and delimiters are refused") {
  for (const char* text : {"\r\n", "x\r\n", " 1\r\nx\r\n", "1 \r\nx\r\n", "1\nx\r\n", "1\r\rx",
                           "-1\r\n", "0x1\r\nx\r\n", "3\r\nfooX", "3\r\nfoo\n", "3\r\nfoo\r\n\r\n",
                           "3 \n  \r\nfoo\r\n", "5\r\r;ABCD\r\n34\r\n", "1\r\nx\r\n0\r\n\n"}) {
    CHECK_MESSAGE(status_of(text) == 400, text);
  }
}

TEST_CASE("extensions follow the grammar and are dropped") {
  CHECK(decode("1;a\r\nx\r\n1;a=b;c=\"d \\\" ;\"\r\ny\r\n0;end\r\n\r\n").body == "xy");
  for (const char* text : {"1;\r\nx\r\n", "1 ;a\r\nx", "1; a\r\nx", "1;a=\r\nx", "1;a=\"b\r\n",
                           "1;a=\"b\"c\r\n", "1;a b\r\n", "1;a=b=c\r\n", "1;\x01\r\n", "1;a\n"}) {
    CHECK_MESSAGE(status_of(text) == 400, text);
  }
}

TEST_CASE("trailers must be well-formed and are dropped") {
  CHECK(decode("1\r\nx\r\n0\r\nHost: evil\r\nAuthorization: y\r\n\r\nrest").rest == "rest");
  for (const char* text :
       {"0\r\n: x\r\n\r\n", "0\r\nA : x\r\n\r\n", "0\r\n A: x\r\n\r\n", "0\r\nA: x\n\r\n",
        "0\r\nA: x\r\n y\r\n\r\n", "0\r\nnocolon\r\n\r\n", "0\r\nA: \x01\r\n\r\n"}) {
    CHECK_MESSAGE(status_of(text) == 400, text);
  }
}

TEST_CASE("an endless body, extension or trailer ends at its limit") {
  const ChunkedLimits limits{.body_bytes = 10, .extension_bytes = 32, .trailer_bytes = 32};
  CHECK(status_of("a\r\n0123456789\r\n0\r\n\r\n", limits) == 200);
  CHECK(status_of("a\r\n0123456789\r\n1\r\n", limits) == 413);
  CHECK(status_of("b\r\n", limits) == 413);
  CHECK(status_of("1;" + std::string(40, 'e'), limits) == 400);
  std::string many;
  for (int i = 0; i < 10; ++i) many += "1;ext=1\r\nx\r\n";
  CHECK(status_of(many, limits) == 400);
  CHECK(status_of("0\r\nA: " + std::string(40, 't'), limits) == 431);
}

}  // namespace
}  // namespace aiserve::http::detail
