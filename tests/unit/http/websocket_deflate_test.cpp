#include "http/websocket_deflate.hpp"

#include <cstdint>

#include <doctest/doctest.h>

namespace aiserve::http::detail {
namespace {

std::string noise(std::size_t size) {
  std::string text;
  std::uint32_t state = 1;
  for (std::size_t i = 0; i < size; ++i) {
    state = state * 1'664'525 + 1'013'904'223;
    text += static_cast<char>(state >> 24);
  }
  return text;
}

std::string inflated(Inflater& inflater, std::string_view compressed) {
  std::string out;
  CHECK(inflater.inflate(compressed, out, 1'000'000) == Inflater::Outcome::ok);
  CHECK(inflater.finish(out, 1'000'000) == Inflater::Outcome::ok);
  return out;
}

TEST_CASE("what is deflated inflates again, in every window and size") {
  for (int bits = 9; bits <= 15; ++bits) {
    Deflater deflater(6, bits);
    Inflater inflater;
    for (const std::size_t size : {1u, 100u, 16'383u, 16'384u, 16'385u, 200'000u}) {
      for (const std::string& text : {std::string(size, 'a'), noise(size)}) {
        std::string wire;
        deflater.deflate(text, wire);
        CHECK(inflated(inflater, wire) == text);
      }
    }
  }
}

TEST_CASE("a context that is taken over makes the second message smaller, a reset one does not") {
  const std::string text = noise(300);
  Deflater deflater(6, 15);
  std::string first;
  std::string second;
  std::string third;
  deflater.deflate(text, first);
  deflater.deflate(text, second);
  deflater.reset();
  deflater.deflate(text, third);
  CHECK(second.size() < first.size() / 4);
  CHECK(third == first);
  CHECK(first.size() >= 300);
}

TEST_CASE("the pool lends what was given back, without its memory of earlier messages") {
  DeflatePool pool;
  auto deflater = pool.take_deflater(1, 15);
  const Deflater* const one = deflater.get();
  std::string first;
  deflater->deflate("the same text, the same text", first);
  pool.give_back(std::move(deflater));
  CHECK(pool.take_deflater(1, 14)->window_bits == 14);
  auto again = pool.take_deflater(1, 15);
  CHECK(again.get() == one);
  std::string second;
  again->deflate("the same text, the same text", second);
  CHECK(first == second);

  auto inflater = pool.take_inflater();
  const Inflater* const lent = inflater.get();
  CHECK(inflated(*inflater, first) == "the same text, the same text");
  pool.give_back(std::move(inflater));
  auto lent_again = pool.take_inflater();
  CHECK(lent_again.get() == lent);
  CHECK(inflated(*lent_again, first) == "the same text, the same text");
}

TEST_CASE("nothing is given beyond the limit") {
  Deflater deflater(9, 15);
  std::string wire;
  deflater.deflate(std::string(1'000'000, 'x'), wire);
  Inflater inflater;
  std::string out = "before";
  CHECK(inflater.inflate(wire, out, 1000) == Inflater::Outcome::too_large);
  CHECK(out.size() <= 1000);
}

}  // namespace
}  // namespace aiserve::http::detail
