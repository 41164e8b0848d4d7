#include "http/http_date.hpp"

#include <doctest/doctest.h>

namespace aiserve::http::detail {
namespace {

TEST_CASE("dates are written as RFC 9110 says") {
  const auto written = [](std::int64_t seconds) {
    std::string text;
    append_http_date(text, seconds);
    return text;
  };
  CHECK(written(784'111'777) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(written(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(written(951'782'400) == "Tue, 29 Feb 2000 00:00:00 GMT");
  CHECK(written(-1) == "Wed, 31 Dec 1969 23:59:59 GMT");
}

TEST_CASE("all three forms are read") {
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == 784'111'777);
  CHECK(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT") == 784'111'777);
  CHECK(parse_http_date("Sun Nov  6 08:49:37 1994") == 784'111'777);
  CHECK(parse_http_date("Sun Nov 16 08:49:37 1994") == 784'975'777);
  CHECK(parse_http_date("Monday, 01-Jan-69 00:00:00 GMT") == 3'124'224'000);
}

TEST_CASE("what is no date is none") {
  for (const std::string_view text :
       {"", "now", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun Nov", "Sun,",
        "Sun, 0", "Sun, -6 Nov 1994 08:49:37 GMT", "Sun Nov  6 08:49:37 1994x"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_http_date(text));
  }
}

TEST_CASE("what is written is read back") {
  for (std::int64_t at = 0; at < 4'000'000'000; at += 86'413 * 97) {
    std::string text;
    append_http_date(text, at);
    CHECK(parse_http_date(text) == at);
  }
}

}  // namespace
}  // namespace aiserve::http::detail
