#include "http/body_decoder.hpp"

#include <doctest/doctest.h>

#include "unit/http/gzip.hpp"

namespace aiserve::http::detail {
namespace {

using Outcome = BodyDecoder::Outcome;

ByteView view(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

constexpr std::uint64_t kMuch = 1 << 30;

TEST_CASE("gzip and zlib bodies are decoded") {
  const std::string text(100'000, 't');
  CHECK(decode_body(Coding::gzip, view(deflated(text)), kMuch).body.text() == text);
  CHECK(decode_body(Coding::deflate, view(deflated(text, kZlib)), kMuch).body.text() == text);
  const DecodedBody empty = decode_body(Coding::gzip, view(deflated("")), 0);
  CHECK(empty.status == 0);
  CHECK(empty.body.empty());
}

TEST_CASE("several gzip members are one body") {
  const std::string two = deflated("one, ") + deflated("") + deflated("two");
  CHECK(decode_body(Coding::gzip, view(two), kMuch).body.text() == "one, two");
  const std::string zlib = deflated("one", kZlib);
  CHECK(decode_body(Coding::deflate, view(zlib + zlib), kMuch).status == 400);
}

TEST_CASE("slices don't change what is decoded") {
  const std::string coded = deflated(std::string(5'000, 'a')) + deflated("tail");
  for (const std::size_t slice : {1UL, 2UL, 7UL, 64UL}) {
    BodyDecoder decoder(Coding::gzip, kMuch);
    std::string out;
    for (std::size_t at = 0; at < coded.size(); at += slice) {
      ByteView piece = view(coded).subspan(at, std::min(slice, coded.size() - at));
      REQUIRE(decoder.feed(piece, out) == Outcome::more);
      CHECK(piece.empty());
    }
    CHECK(decoder.complete());
    CHECK(out == std::string(5'000, 'a') + "tail");
  }
}

TEST_CASE("no more is decoded than asked for, and nothing is lost") {
  const std::string text(1'000'000, 'a');
  const std::string coded = deflated(text) + deflated("tail");
  BodyDecoder decoder(Coding::gzip, kMuch);
  ByteView input = view(coded);
  std::string out;
  while (!input.empty() || decoder.holds_back()) {
    std::string part;
    REQUIRE(decoder.feed(input, part, 1000) == Outcome::more);
    CHECK(part.size() < 1000 + 16 * 1024);
    out += part;
  }
  CHECK(decoder.complete());
  CHECK(out == text + "tail");
}

TEST_CASE("what is cut off, damaged or something else is broken") {
  std::string coded = deflated(std::string(1'000, 'x'));
  for (std::size_t size = 1; size < coded.size(); ++size) {
    CHECK(decode_body(Coding::gzip, view(coded).first(size), kMuch).status == 400);
  }
  CHECK(decode_body(Coding::gzip, view(coded + "junk"), kMuch).status == 400);
  CHECK(decode_body(Coding::gzip, view(coded + std::string(3, '\0')), kMuch).status == 400);
  CHECK(decode_body(Coding::gzip, view("plain text"), kMuch).status == 400);
  CHECK(decode_body(Coding::gzip, view(deflated("x", kZlib)), kMuch).status == 400);
  CHECK(decode_body(Coding::deflate, view(deflated("x", kRaw)), kMuch).status == 400);
  coded[coded.size() - 6] ^= 1;  // the check sum
  CHECK(decode_body(Coding::gzip, view(coded), kMuch).status == 400);
}

TEST_CASE("a body that fits exactly is taken, one byte more is not") {
  for (const std::size_t size : {1UL, 16'384UL, 16'385UL, 50'000UL}) {
    const std::string coded = deflated(std::string(size, 'f'));
    CHECK(decode_body(Coding::gzip, view(coded), size).body.size() == size);
    CHECK(decode_body(Coding::gzip, view(coded), size - 1).status == 413);
  }
}

TEST_CASE("a bomb is stopped at the limit, whatever it would become") {
  std::string bomb;
  const std::string member = deflated(std::string(10'000'000, '\0'));
  for (int i = 0; i < 20; ++i) bomb += member;  // 200 MB in 200 KB
  BodyDecoder decoder(Coding::gzip, 1'000'000);
  std::string out;
  ByteView input = view(bomb);
  CHECK(decoder.feed(input, out) == Outcome::large);
  CHECK(out.size() <= 1'000'000);
  CHECK(out.capacity() <= 2'100'000);
}

}  // namespace
}  // namespace aiserve::http::detail
