#include "http/compress.hpp"

#include <random>

#include <doctest/doctest.h>

#include "unit/http/gzip.hpp"

namespace aiserve::http::detail {
namespace {

std::string prose(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) text += "line " + std::to_string(i) + "\n";
  text.resize(size);
  return text;
}

std::string noise(std::size_t size) {
  std::mt19937 random(7);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

TEST_CASE("what is compressed is what others read back") {
  for (const Coding coding : {Coding::gzip, Coding::brotli, Coding::zstd}) {
    if (!can_compress(coding)) continue;
    for (const std::size_t size : {64UL, 1000UL, 40'000UL, 1'000'000UL}) {
      CAPTURE(name(coding));
      CAPTURE(size);
      const std::string text = prose(size);
      const auto body = compress(coding, text);
      REQUIRE(body);
      CHECK(body->size() < size);
      CHECK(decoded(name(coding), *body, size) == text);
    }
  }
}

TEST_CASE("what doesn't shrink stays as it is") {
  for (const Coding coding : {Coding::gzip, Coding::brotli, Coding::zstd}) {
    CHECK_FALSE(compress(coding, noise(10'000)));
    CHECK_FALSE(compress(coding, "x"));
    CHECK_FALSE(compress(coding, ""));
  }
  CHECK_FALSE(compress(Coding::identity, prose(1000)));
  CHECK_FALSE(compress(Coding::deflate, prose(1000)));
}

TEST_CASE("gzip is there in every build") { CHECK(can_compress(Coding::gzip)); }

}  // namespace
}  // namespace aiserve::http::detail
