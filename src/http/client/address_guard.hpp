// AddressGuard: which addresses a client may connect to. What is not part of the public Internet is
// refused unless it is allowed by name: an address that somebody else chose must not reach the
// services, cloud metadata and routers behind this process (server-side request forgery, CWE-918).
//
// Sources: the IANA special-purpose address registries (RFC 6890) of IPv4 and IPv6. Of IPv6 only
// 2000::/3 is given out, so all else is refused, with it translations of IPv4 (64:ff9b::/96).
#pragma once

#include <string>
#include <vector>

#include "http/ip_address.hpp"

namespace aiserve::inline v0::http::detail {

class AddressGuard {
 public:
  // Blocks that are allowed all the same. Throws ConfigError.
  explicit AddressGuard(const std::vector<std::string>& allowed);

  bool permits(const IpAddress& address) const noexcept;

 private:
  std::vector<AddressBlock> allowed_;
  std::vector<AddressBlock> special_;
};

}  // namespace aiserve::inline v0::http::detail
