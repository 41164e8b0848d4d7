// Peer: who is at the other end of a connection, as far as it is known: by its socket, by a proxy
// that may say so, by its certificate. Shared with the requests whose handlers outlive it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "aiserve/http/tls.hpp"
#include "http/forwarded.hpp"
#include "http/ip_address.hpp"

namespace aiserve::inline v0::http::detail {

struct Peer : std::enable_shared_from_this<Peer> {
  // Null address: of a unix socket.
  Peer(const Forwarding& its_forwarding, std::optional<IpAddress> its_ip);
  // A proxy has said whom it speaks for.
  void speaks_for(const IpAddress& client);

  const Forwarding* forwarding;
  std::optional<IpAddress> ip;
  std::string address;   // "unix" for a unix socket
  bool trusted = false;  // a proxy whose word counts
  bool secure = false;   // it speaks TLS
  std::unique_ptr<const ClientCertificate> certificate;
};

}  // namespace aiserve::inline v0::http::detail
