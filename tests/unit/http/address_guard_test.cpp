#include "http/client/address_guard.hpp"

#include <doctest/doctest.h>

#include "aiserve/core/error.hpp"

namespace aiserve::http::detail {
namespace {

bool permits(const AddressGuard& guard, std::string_view text) {
  const auto address = IpAddress::parse(text);
  REQUIRE_MESSAGE(address.has_value(), text);
  return guard.permits(*address);
}

TEST_CASE("addresses that are not public are refused") {
  const AddressGuard guard({});
  for (const std::string_view text : {"0.0.0.0",
                                      "0.1.2.3",
                                      "10.0.0.1",
                                      "10.255.255.255",
                                      "100.64.0.1",
                                      "100.127.255.255",
                                      "127.0.0.1",
                                      "127.255.255.254",
                                      "169.254.169.254",
                                      "169.254.0.1",
                                      "172.16.0.1",
                                      "172.31.255.255",
                                      "192.0.0.1",
                                      "192.0.2.1",
                                      "192.88.99.1",
                                      "192.168.0.1",
                                      "198.18.0.1",
                                      "198.19.255.255",
                                      "198.51.100.1",
                                      "203.0.113.1",
                                      "224.0.0.1",
                                      "239.255.255.255",
                                      "240.0.0.1",
                                      "255.255.255.255",
                                      "::",
                                      "::1",
                                      "::ffff:127.0.0.1",
                                      "::ffff:10.0.0.1",
                                      "::ffff:169.254.169.254",
                                      "::127.0.0.1",
                                      "64:ff9b::7f00:1",
                                      "100::1",
                                      "2001::1",
                                      "2001:db8::1",
                                      "2002:7f00:1::",
                                      "fc00::1",
                                      "fd12:3456::1",
                                      "fe80::1",
                                      "fec0::1",
                                      "ff02::1",
                                      "3fff::1",
                                      "4000::1",
                                      "fd00:ec2::254"}) {
    CHECK_MESSAGE(!permits(guard, text), text);
  }
}

TEST_CASE("public addresses are permitted, right beside the refused ones too") {
  const AddressGuard guard({});
  for (const std::string_view text :
       {"1.1.1.1",         "8.8.8.8",         "9.255.255.255",   "11.0.0.0",
        "100.63.255.255",  "100.128.0.0",     "126.255.255.255", "128.0.0.1",
        "169.253.255.255", "169.255.0.0",     "172.15.255.255",  "172.32.0.0",
        "192.0.1.1",       "192.167.255.255", "192.169.0.0",     "198.17.255.255",
        "198.20.0.0",      "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::1",
        "::ffff:8.8.8.8"}) {
    CHECK_MESSAGE(permits(guard, text), text);
  }
}

TEST_CASE("what is allowed by name is permitted, and nothing beside it") {
  const AddressGuard guard({"10.1.0.0/16", "fd00::/8", "127.0.0.1"});
  CHECK(permits(guard, "10.1.2.3"));
  CHECK(permits(guard, "::ffff:10.1.2.3"));
  CHECK(permits(guard, "fd01::1"));
  CHECK(permits(guard, "127.0.0.1"));
  CHECK_FALSE(permits(guard, "10.2.0.1"));
  CHECK_FALSE(permits(guard, "127.0.0.2"));
  CHECK_FALSE(permits(guard, "fe80::1"));
}

TEST_CASE("an allowed block that is none is a ConfigError that names it") {
  for (const char* text : {"", "10.0.0.0/33", "localhost", "10.0.0.0/8 ", "::/129", "1.2.3/8"}) {
    CHECK_THROWS_AS(AddressGuard({text}), ConfigError);
  }
}

}  // namespace
}  // namespace aiserve::http::detail
