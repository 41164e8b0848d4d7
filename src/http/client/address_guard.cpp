#include "http/client/address_guard.hpp"

#include <algorithm>
#include <array>

#include "aiserve/core/error.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

constexpr std::array<const char*, 21> kSpecial{
    "0.0.0.0/8",       // this network
    "10.0.0.0/8",      // private
    "100.64.0.0/10",   // carrier-grade NAT
    "127.0.0.0/8",     // loopback
    "169.254.0.0/16",  // link-local, cloud metadata
    "172.16.0.0/12",   // private
    "192.0.0.0/24",    // protocol assignments
    "192.0.2.0/24",    // documentation
    "192.88.99.0/24",  // 6to4 relays
    "192.168.0.0/16",  // private
    "198.18.0.0/15",   // benchmarks
    "198.51.100.0/24",   "203.0.113.0/24",
    "224.0.0.0/4",    // multicast
    "240.0.0.0/4",    // reserved, broadcast
    "2001::/23",      // protocol assignments, Teredo
    "2001:db8::/32",  // documentation
    "2002::/16",      // 6to4: holds any IPv4 address
    "2620:4f:8000::/48",
    "3ffe::/16",  // the former 6bone
    "3fff::/20",  // documentation
};

bool in_any(const std::vector<AddressBlock>& blocks, const IpAddress& address) noexcept {
  return std::any_of(blocks.begin(), blocks.end(),
                     [&](const AddressBlock& block) { return block.contains(address); });
}

}  // namespace

AddressGuard::AddressGuard(const std::vector<std::string>& allowed) {
  allowed_.reserve(allowed.size());
  for (const std::string& text : allowed) {
    const auto block = AddressBlock::parse(text);
    if (!block) {
      throw ConfigError("http client: allow_addresses: \"" + text + "\" is no block of addresses");
    }
    allowed_.push_back(*block);
  }
  special_.reserve(kSpecial.size());
  for (const char* text : kSpecial) special_.push_back(AddressBlock::parse(text).value());
}

bool AddressGuard::permits(const IpAddress& address) const noexcept {
  static const AddressBlock kGlobal = AddressBlock::parse("2000::/3").value();
  if (in_any(allowed_, address)) return true;
  if (!address.is_v4() && !kGlobal.contains(address)) return false;
  return !in_any(special_, address);
}

}  // namespace aiserve::inline v0::http::detail
