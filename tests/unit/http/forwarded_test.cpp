#include "http/forwarded.hpp"

#include <doctest/doctest.h>

namespace aiserve::http {
namespace {

using detail::address_in;
using detail::parameter_in;
using detail::take_last;

TEST_CASE("a list is taken from its end, and quotes hold commas") {
  std::string_view list = R"(a, for="b,c" ,, d )";
  CHECK(take_last(list) == "d");
  CHECK(take_last(list) == "");
  CHECK(take_last(list) == R"(for="b,c")");
  CHECK(take_last(list) == "a");
  CHECK_FALSE(take_last(list).has_value());
  CHECK_FALSE(take_last(list).has_value());
}

TEST_CASE("a quote that a client left open hides nothing of what a proxy appended") {
  std::string_view list = R"(for=198.51.100.1;x=", for=192.0.2.7)";
  CHECK(take_last(list) == "for=192.0.2.7");
}

TEST_CASE("addresses come with and without ports and brackets") {
  CHECK(address_in("192.0.2.7") == "192.0.2.7");
  CHECK(address_in("192.0.2.7:4711") == "192.0.2.7");
  CHECK(address_in("2001:db8::7") == "2001:db8::7");
  CHECK(address_in("[2001:db8::7]") == "2001:db8::7");
  CHECK(address_in("[2001:db8::7]:4711") == "2001:db8::7");
  for (const std::string_view text :
       {"", "unknown", "_hidden", "[2001:db8::7", "[::1]x", "[]", ":80", "192.0.2.7, 192.0.2.8",
        "example.org", "\"192.0.2.7\""}) {
    CAPTURE(text);
    CHECK(address_in(text) == "");
  }
}

TEST_CASE("parameters of Forwarded are found in any order and case, quoted or not") {
  const std::string_view element = R"(By=203.0.113.1; FOR="[2001:db8::7]:80";proto=https)";
  CHECK(parameter_in(element, "for") == "[2001:db8::7]:80");
  CHECK(parameter_in(element, "proto") == "https");
  CHECK(parameter_in(element, "host") == "");
  CHECK(parameter_in(R"(for="open)", "for") == "");
  CHECK(parameter_in("for", "for") == "");
  CHECK(parameter_in(";;for=1", "for") == "");
}

}  // namespace
}  // namespace aiserve::http
