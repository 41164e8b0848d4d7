// Peer: who is at the other end of a connection, as far as it is known: by its socket, by a proxy
// that may say so, by its certificate. Shared with the requests whose handlers outlive it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "aiserve/http/tls.hpp"

namespace aiserve::inline v0::http::detail {

struct Peer : std::enable_shared_from_this<Peer> {
  explicit Peer(std::string its_address) noexcept : address(std::move(its_address)) {}

  std::string address;
  bool secure = false;  // it speaks TLS
  std::optional<ClientCertificate> certificate;
};

}  // namespace aiserve::inline v0::http::detail
