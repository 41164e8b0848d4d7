#include "http/proxy_header.hpp"

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "unit/http/proxy_bytes.hpp"

namespace aiserve::http {
namespace {

using detail::ProxyHeader;

struct Read {
  ProxyHeader::Outcome outcome = ProxyHeader::Outcome::more;
  std::size_t taken = 0;
  std::string client = "none";
  std::string reason;
};

// Offers `piece` bytes at a time; the header takes no more than are its own.
Read read(std::string_view bytes, std::size_t piece) {
  ProxyHeader header;
  Read result;
  while (result.outcome == ProxyHeader::Outcome::more && result.taken < bytes.size()) {
    const auto target = header.target();
    REQUIRE(!target.empty());
    const std::size_t n = std::min({piece, target.size(), bytes.size() - result.taken});
    std::copy_n(bytes.data() + result.taken, n, target.begin());
    result.taken += n;
    result.outcome = header.received(n);
  }
  if (header.client()) result.client = header.client()->text();
  result.reason = header.reason();
  return result;
}

TEST_CASE("a header names its client, however it is sliced, and takes nothing behind it") {
  for (const std::size_t piece : {1u, 5u, 16u, 17u, 10'000u}) {
    CAPTURE(piece);
    const std::string v4 = proxy_header({192, 0, 2, 7}, {});
    CHECK(read(v4 + "GET / HTTP/1.1", piece).client == "192.0.2.7");
    CHECK(read(v4 + "GET / HTTP/1.1", piece).taken == v4.size());

    const std::string v6 =
        proxy_header({0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9}, {});
    CHECK(read(v6 + "GET", piece).client == "2001:db8::9");
    CHECK(read(v6 + "GET", piece).taken == v6.size());

    const std::string extended = proxy_header({192, 0, 2, 7}, std::string(3000, '\xff'));
    CHECK(read(extended + "GET", piece).client == "192.0.2.7");
    CHECK(read(extended + "GET", piece).taken == extended.size());
    CHECK(read(extended + "GET", piece).outcome == ProxyHeader::Outcome::done);
  }
}

TEST_CASE("a proxy may speak for itself, or for somebody without an address") {
  for (const std::size_t piece : {1u, 10'000u}) {
    std::string local = proxy_header({192, 0, 2, 7}, {});
    local[12] = 0x20;
    CHECK(read(local, piece).outcome == ProxyHeader::Outcome::done);
    CHECK(read(local, piece).client == "none");
    const std::string bare = local.substr(0, 14) + std::string(2, '\0');
    CHECK(read(bare, piece).outcome == ProxyHeader::Outcome::done);
    CHECK(read(bare + "GET", piece).taken == 16);
    std::string unspecified = proxy_header({192, 0, 2, 7}, {});
    unspecified[13] = 0;
    CHECK(read(unspecified, piece).outcome == ProxyHeader::Outcome::done);
    CHECK(read(unspecified, piece).client == "none");
  }
}

TEST_CASE("what is no header of version 2 for a stream is refused") {
  const std::string good = proxy_header({192, 0, 2, 7}, {});
  const auto refused = [&](std::size_t at, char byte) {
    std::string bytes = good;
    bytes[at] = byte;
    const Read whole = read(bytes, 10'000);
    const Read sliced = read(bytes, 1);
    CHECK(whole.reason == sliced.reason);
    CHECK(whole.client == "none");
    return whole.outcome == ProxyHeader::Outcome::failed &&
           sliced.outcome == ProxyHeader::Outcome::failed;
  };
  for (std::size_t at = 0; at < 12; ++at) CHECK(refused(at, 'X'));
  CHECK(refused(12, 0x11));  // version 1
  CHECK(refused(12, 0x22));  // an unknown command
  CHECK(refused(13, 0x12));  // UDP
  CHECK(refused(13, 0x41));  // an unknown family
  CHECK(refused(14, 0x7f));  // too long
  CHECK(refused(15, 11));    // too short for its addresses
  CHECK(read("GET / HTTP/1.1\r\n", 1).taken == 1);
  CHECK(read("PROXY TCP4 192.0.2.7 192.0.2.1 5 80\r\n", 10'000).outcome ==
        ProxyHeader::Outcome::failed);
}

}  // namespace
}  // namespace aiserve::http
