#include "http/response_coding.hpp"

#include <doctest/doctest.h>

#include "aiserve/core/error.hpp"
#include "http/compress.hpp"
#include "http/head_parser.hpp"
#include "http/request_state.hpp"
#include "unit/http/gzip.hpp"

namespace aiserve::http::detail {
namespace {

struct Asked {
  explicit Asked(const std::string& fields)
      : bytes("GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n") {
    HeadParser parser;
    REQUIRE(parser.parse(bytes, {}, state.head) == HeadParser::Outcome::done);
    REQUIRE(state.bind(bytes.data()));
  }
  std::string bytes;
  RequestState state;
  Request request{state};
};

const std::string kText(10'000, 'z');

Response coded(Response response, const std::string& accept = "gzip",
               const CompressionOptions& options = {}) {
  const Asked asked("Accept-Encoding: " + accept + "\r\n");
  compress_response(options, asked.request, response);
  return response;
}

TEST_CASE("a response takes the coding its client wants") {
  const Response response = coded(text(kText));
  CHECK(response.header("Content-Encoding") == "gzip");
  CHECK(response.header("Vary") == "Accept-Encoding");
  CHECK(response.header("Content-Type") == "text/plain; charset=utf-8");
  CHECK(inflated(response.body(), kText.size()) == kText);
}

TEST_CASE("the client's weights come first, then zstd, br, gzip") {
  if (!can_compress(Coding::zstd) || !can_compress(Coding::brotli)) return;
  const auto chosen = [](const std::string& accept) {
    return std::string(coded(text(kText), accept).header("Content-Encoding"));
  };
  CHECK(chosen("gzip, deflate, br, zstd") == "zstd");
  CHECK(chosen("gzip, deflate, br") == "br");
  CHECK(chosen("gzip;q=0.9, br;q=0.8") == "gzip");
  CHECK(chosen("zstd;q=0, *") == "br");
  CHECK(chosen("deflate").empty());
  CHECK(chosen("gzip;q=0").empty());
  CHECK(chosen("identity").empty());
}

TEST_CASE("who says nothing gets it plain, but caches are told") {
  const Asked silent("");
  Response response = text(kText);
  compress_response({}, silent.request, response);
  CHECK(response.header("Content-Encoding").empty());
  CHECK(response.header("Vary") == "Accept-Encoding");
  CHECK(response.body() == kText);
}

TEST_CASE("what is small, large, encoded, partial, not to be changed or of another type stays") {
  const auto stays = [](Response response) {
    const Response after = coded(std::move(response));
    return after.header("Vary").empty() && after.header("Content-Encoding") != "gzip";
  };
  CHECK(stays(text(std::string(1023, 's'))));
  CHECK_FALSE(stays(text(std::string(1024, 's'))));
  CHECK_FALSE(stays(text(std::string(256 * 1024, 'l'))));
  CHECK(stays(text(std::string(256 * 1024 + 1, 'l'))));
  CHECK(stays(text(kText).header("Content-Encoding", "br")));
  CHECK(stays(text(kText).status(206)));
  CHECK(stays(text(kText).header("Content-Range", "bytes 0-1/2")));
  CHECK(stays(text(kText).header("Cache-Control", "private, No-Transform")));
  CHECK(stays(bytes(Bytes::copy(kText))));
  CHECK(stays(bytes(Bytes::copy(kText)).header("Content-Type", "image/png")));
  CHECK_FALSE(stays(text(kText).status(404)));
}

TEST_CASE("types are matched whole, by prefix and by suffix") {
  const CompressionOptions options;
  CHECK(type_is_listed(options, "text/css"));
  CHECK(type_is_listed(options, "TEXT/HTML; charset=utf-8"));
  CHECK(type_is_listed(options, "application/problem+json"));
  CHECK(type_is_listed(options, "application/json ;v=1"));
  CHECK(type_is_listed(options, "image/svg+xml"));
  CHECK_FALSE(type_is_listed(options, "textual/html"));
  CHECK_FALSE(type_is_listed(options, "text/"));
  CHECK_FALSE(type_is_listed(options, "application/json2"));
  CHECK_FALSE(type_is_listed(options, ""));
}

TEST_CASE("a strong ETag becomes weak, a weak one stays") {
  CHECK(coded(text(kText).header("ETag", R"("v1")")).header("ETag") == R"(W/"v1")");
  CHECK(coded(text(kText).header("ETag", R"(W/"v1")")).header("ETag") == R"(W/"v1")");
  CHECK(coded(text(kText).header("ETag", R"("v1")"), "identity").header("ETag") == R"("v1")");
}

TEST_CASE("Vary is completed, not repeated") {
  CHECK(coded(text(kText).header("Vary", "*")).header("Vary") == "*");
  CHECK(coded(text(kText).header("Vary", "Origin, accept-encoding")).header("Vary") ==
        "Origin, accept-encoding");
}

TEST_CASE("what doesn't shrink goes as it is") {
  std::string noise;
  std::uint32_t state = 1;
  for (int i = 0; i < 2000; ++i)
    noise += static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  const Response response = coded(text(noise));
  CHECK(response.header("Content-Encoding").empty());
  CHECK(response.body() == noise);
}

TEST_CASE("a request names one coding that is taken, or none") {
  const auto coding = [](const std::string& fields, bool requests = true) {
    CompressionOptions options;
    options.requests = requests;
    return request_coding(Asked(fields).request, options);
  };
  CHECK(coding("Content-Encoding: gzip\r\n") == Coding::gzip);
  CHECK(coding("content-encoding: X-Gzip\r\n") == Coding::gzip);
  CHECK(coding("Content-Encoding: deflate\r\n") == Coding::deflate);
  CHECK(coding("Content-Encoding: identity\r\n", false) == Coding::identity);
  CHECK(!coding("Content-Encoding: gzip\r\n", false));
  CHECK(!coding("Content-Encoding: br\r\n"));
  CHECK(!coding("Content-Encoding: gzip, gzip\r\n"));
  CHECK(!coding("Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n"));
  CHECK(!coding("Content-Encoding: \r\n"));
}

TEST_CASE("options out of range are named") {
  CHECK_THROWS_WITH_AS(check({.min_size = 10, .max_size = 9}),
                       "http: compression.max_size must be min_size to 16 MiB", ConfigError);
  CHECK_THROWS_AS(check({.max_size = 17 << 20}), ConfigError);
  CHECK_THROWS_AS(check({.types = {"json"}}), ConfigError);
  CHECK_NOTHROW(check({}));
}

}  // namespace
}  // namespace aiserve::http::detail
