#include "http/peer_counts.hpp"

#include <doctest/doctest.h>

namespace aiserve::http {
namespace {

using detail::IpAddress;
using detail::PeerCounts;

IpAddress at(std::string_view text) { return IpAddress::parse(text).value(); }

TEST_CASE("a peer has as many places as it may, and gets back what it gives back") {
  PeerCounts counts(2);
  auto first = counts.enter(at("192.0.2.1"));
  auto second = counts.enter(at("192.0.2.1"));
  REQUIRE((first && second));
  CHECK_FALSE(counts.enter(at("192.0.2.1")).has_value());
  CHECK(counts.enter(at("192.0.2.2")).has_value());
  first.reset();
  auto third = counts.enter(at("192.0.2.1"));
  CHECK(third.has_value());
  CHECK_FALSE(counts.enter(at("192.0.2.1")).has_value());
}

TEST_CASE("an IPv6 peer is its /64") {
  PeerCounts counts(1);
  const auto place = counts.enter(at("2001:db8:0:1::1"));
  CHECK(place.has_value());
  CHECK_FALSE(counts.enter(at("2001:db8:0:1:ffff:ffff:ffff:ffff")).has_value());
  CHECK(counts.enter(at("2001:db8:0:2::1")).has_value());
}

TEST_CASE("without a limit nothing is counted") {
  PeerCounts counts(0);
  std::vector<PeerCounts::Pass> passes;
  passes.reserve(100);
  for (int i = 0; i < 100; ++i) passes.push_back(counts.enter(at("192.0.2.1")).value());
  CHECK(passes.size() == 100);
}

}  // namespace
}  // namespace aiserve::http
