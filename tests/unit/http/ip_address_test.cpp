#include "http/ip_address.hpp"

#include <doctest/doctest.h>

namespace aiserve::http {
namespace {

using detail::AddressBlock;
using detail::IpAddress;

std::string normal(std::string_view text) {
  const auto address = IpAddress::parse(text);
  return address ? address->text() : "none";
}

bool in(std::string_view block, std::string_view address) {
  return AddressBlock::parse(block).value().contains(IpAddress::parse(address).value());
}

TEST_CASE("addresses are read and written, one text for each") {
  CHECK(normal("192.0.2.1") == "192.0.2.1");
  CHECK(normal("2001:DB8:0:0::1") == "2001:db8::1");
  CHECK(normal("::ffff:192.0.2.1") == "192.0.2.1");
  CHECK(normal("::") == "::");
}

TEST_CASE("what is no address is none") {
  using namespace std::string_view_literals;
  for (const std::string_view text :
       {""sv, "1"sv, "1.2.3"sv, "1.2.3.4.5"sv, "256.1.1.1"sv, "01.2.3.4"sv, "1.2.3.4 "sv,
        "1.2.3.4\0"sv, "0x7f.0.0.1"sv, "::1::"sv, "[::1]"sv, "fe80::1%eth0"sv, "1.2.3.4:80"sv,
        "localhost"sv, "1:2:3:4:5:6:7:8:9"sv,
        "0000000000000000000000000000000000000000000000000000001"sv}) {
    CAPTURE(text);
    CHECK_FALSE(IpAddress::parse(text).has_value());
  }
}

TEST_CASE("blocks hold what they say, at every length of prefix") {
  CHECK(in("10.0.0.0/8", "10.255.0.1"));
  CHECK_FALSE(in("10.0.0.0/8", "11.0.0.0"));
  CHECK(in("10.1.2.3/8", "10.9.9.9"));
  CHECK(in("192.0.2.128/25", "192.0.2.255"));
  CHECK_FALSE(in("192.0.2.128/25", "192.0.2.127"));
  CHECK(in("192.0.2.1", "192.0.2.1"));
  CHECK_FALSE(in("192.0.2.1", "192.0.2.0"));
  CHECK(in("0.0.0.0/0", "203.0.113.9"));
  CHECK_FALSE(in("0.0.0.0/0", "2001:db8::1"));
  CHECK(in("2001:db8::/33", "2001:db8:7fff::"));
  CHECK_FALSE(in("2001:db8::/33", "2001:db8:8000::"));
  CHECK(in("::/0", "2001:db8::1"));
  CHECK(in("::ffff:10.0.0.0/104", "10.1.1.1"));
  for (const std::string_view text : {"10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1",
                                      "10.0.0.0/8 ", "/8", "10/8", "10.0.0.0/+8"}) {
    CAPTURE(text);
    CHECK_FALSE(AddressBlock::parse(text).has_value());
  }
}

}  // namespace
}  // namespace aiserve::http
