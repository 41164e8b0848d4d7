// TrustedPeers: the proxies that are believed when they say who their client is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/ip_address.hpp"

namespace aiserve::inline v0::http::detail {

class TrustedPeers {
 public:
  // Addresses, blocks of them, and "unix" for whoever may open the unix socket. Throws ConfigError.
  explicit TrustedPeers(const std::vector<std::string>& peers);

  bool empty() const noexcept { return blocks_.empty() && !unix_; }
  bool contains(const IpAddress& address) const noexcept;
  bool unix_peers() const noexcept { return unix_; }

 private:
  std::vector<AddressBlock> blocks_;
  bool unix_ = false;
};

}  // namespace aiserve::inline v0::http::detail
