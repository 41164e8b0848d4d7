#include "http/trusted_peers.hpp"

#include <algorithm>

#include "aiserve/core/error.hpp"

namespace aiserve::inline v0::http::detail {

TrustedPeers::TrustedPeers(const std::vector<std::string>& peers) {
  blocks_.reserve(peers.size());
  for (const std::string& peer : peers) {
    if (peer == "unix") {
      unix_ = true;
    } else if (const auto block = AddressBlock::parse(peer)) {
      blocks_.push_back(*block);
    } else {
      throw ConfigError("http: trusted_proxies: \"" + peer +
                        "\" is no address, no block of addresses and not \"unix\"");
    }
  }
}

bool TrustedPeers::contains(const IpAddress& address) const noexcept {
  return std::any_of(blocks_.begin(), blocks_.end(),
                     [&](const AddressBlock& block) { return block.contains(address); });
}

}  // namespace aiserve::inline v0::http::detail
