#include "http/peer.hpp"

namespace aiserve::inline v0::http::detail {

Peer::Peer(const Forwarding& its_forwarding, std::optional<IpAddress> its_ip)
    : forwarding(&its_forwarding),
      ip(its_ip),
      address(ip ? ip->text() : "unix"),
      trusted(ip ? its_forwarding.trusted.contains(*ip) : its_forwarding.trusted.unix_peers()) {}

void Peer::speaks_for(const IpAddress& client) {
  ip = client;
  address = client.text();
  trusted = forwarding->trusted.contains(client);
}

}  // namespace aiserve::inline v0::http::detail
