#include "http/byte_range.hpp"

#include <string>

#include <doctest/doctest.h>

namespace aiserve::http::detail {
namespace {

// "0+5 10+2": begins and sizes; "whole" or "416".
std::string chosen(std::string_view field, std::uint64_t size = 100, std::size_t max_ranges = 4) {
  const RangeChoice choice = choose_ranges(field, size, max_ranges);
  if (choice.kind == RangeChoice::Kind::whole) return "whole";
  if (choice.kind == RangeChoice::Kind::unsatisfiable) return "416";
  std::string text;
  for (const ByteRange& range : choice.ranges) {
    text +=
        (text.empty() ? "" : " ") + std::to_string(range.begin) + "+" + std::to_string(range.size);
  }
  return text;
}

TEST_CASE("ranges from the front, from the back and open ones are clipped to the file") {
  CHECK(chosen("bytes=0-4") == "0+5");
  CHECK(chosen("Bytes=99-99") == "99+1");
  CHECK(chosen("bytes=90-") == "90+10");
  CHECK(chosen("bytes=-10") == "90+10");
  CHECK(chosen("bytes=-1000") == "0+100");
  CHECK(chosen("bytes=50-1000") == "50+50");
  CHECK(chosen("bytes=0-18446744073709551615") == "0+100");
  CHECK(chosen("bytes=0-99999999999999999999999") == "0+100");
  CHECK(chosen("bytes=0-4, 10-11 ,-2") == "0+5 10+2 98+2");
}

TEST_CASE("what the file doesn't have is 416, unless something else is there") {
  CHECK(chosen("bytes=100-") == "416");
  CHECK(chosen("bytes=100-200,500-") == "416");
  CHECK(chosen("bytes=-0") == "416");
  CHECK(chosen("bytes=99999999999999999999999-") == "416");
  CHECK(chosen("bytes=100-,0-0") == "0+1");
  CHECK(chosen("bytes=0-", 0) == "416");
  CHECK(chosen("bytes=-5", 0) == "416");
}

TEST_CASE("malformed fields and other units get the whole") {
  for (const std::string_view field :
       {"", "bytes", "bytes=", "bytes=,", "bytes=a-b", "bytes=5-4", "bytes=-", "bytes=--5",
        "bytes=1-2-3", "bytes=+1-2", "bytes=1 -2", "items=0-5", "bytes 0-5", "bytes=0-5;6-7",
        "bytes=0-5,", "bytes=0x1-5", "bytes=1.0-2"}) {
    CAPTURE(field);
    CHECK(chosen(field) == "whole");
  }
}

TEST_CASE("too many ranges, and more together than the file, get the whole") {
  CHECK(chosen("bytes=0-0,1-1,2-2,3-3") == "0+1 1+1 2+1 3+1");
  CHECK(chosen("bytes=0-0,1-1,2-2,3-3,4-4") == "whole");
  CHECK(chosen("bytes=0-,0-") == "whole");
  CHECK(chosen("bytes=0-59,40-99") == "whole");
  CHECK(chosen("bytes=0-49,40-89") == "0+50 40+50");
}

}  // namespace
}  // namespace aiserve::http::detail
