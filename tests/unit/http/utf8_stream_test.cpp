#include "http/utf8_stream.hpp"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "core/utf8.hpp"

namespace aiserve::http::detail {
namespace {

using namespace std::string_view_literals;

bool valid(std::string_view text, std::size_t slice) {
  Utf8Stream stream;
  for (; !text.empty(); text.remove_prefix(std::min(slice, text.size()))) {
    if (!stream.feed(text.substr(0, slice))) return false;
  }
  return stream.complete();
}

bool valid_for_the_decoder(std::string_view text) {
  while (!text.empty()) {
    const auto step = aiserve::detail::next_utf8(text);
    if (!step.valid) return false;
    text.remove_prefix(step.length);
  }
  return true;
}

TEST_CASE("text is valid or not however it is cut") {
  const std::string_view good[] = {"",
                                   "plain ascii of more than eight bytes",
                                   "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5",
                                   "\xf0\x90\x8d\x88\xf4\x8f\xbf\xbf",
                                   "\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf",
                                   "aaaaaaa\xc2\x80 and then ascii again"};
  const std::string_view bad[] = {"\x80",
                                  "\xc0\xaf",
                                  "\xc1\xbf",
                                  "\xe0\x9f\xbf",
                                  "\xed\xa0\x80",
                                  "\xf0\x8f\xbf\xbf",
                                  "\xf4\x90\x80\x80",
                                  "\xf5\x80\x80\x80",
                                  "\xff",
                                  "abcdefgh\xfe",
                                  "\xc2",
                                  "\xe1\xbd",
                                  "\xf0\x90\x8d",
                                  "\xc2 "};
  for (std::size_t slice = 1; slice <= 9; ++slice) {
    for (const std::string_view text : good) CHECK(valid(text, slice));
    for (const std::string_view text : bad) CHECK_FALSE(valid(text, slice));
  }
}

TEST_CASE("what cannot become valid is refused at its first impossible byte") {
  Utf8Stream stream;
  CHECK(stream.feed("abc\xf4"));
  CHECK_FALSE(stream.feed("\x90"));
  stream.reset();
  CHECK(stream.feed("\xed"));
  CHECK_FALSE(stream.feed("\xa0"));
}

TEST_CASE("every sequence of up to three bytes agrees with the decoder") {
  for (unsigned a = 0x70; a < 0x100; ++a) {
    for (unsigned b = 0x70; b < 0x100; ++b) {
      for (const unsigned c : {0x00u, 0x7Fu, 0x80u, 0xBFu, 0xC2u}) {
        const std::string text{static_cast<char>(a), static_cast<char>(b), static_cast<char>(c)};
        if (valid(text, 1) != valid_for_the_decoder(text)) {
          FAIL("disagree on " << a << ' ' << b << ' ' << c);
        }
      }
    }
  }
}

}  // namespace
}  // namespace aiserve::http::detail
