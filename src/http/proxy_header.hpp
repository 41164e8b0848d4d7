// ProxyHeader: version 2 of the PROXY protocol, by which a proxy says before the first byte whom it
// speaks for (haproxy.org, proxy-protocol.txt, section 2.2). Extensions (TLVs) are skipped.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "http/ip_address.hpp"

namespace aiserve::inline v0::http::detail {

class ProxyHeader {
 public:
  enum class Outcome { more, done, failed };

  // Where to receive to, never beyond the header: what follows belongs to somebody else.
  std::span<std::uint8_t> target() noexcept;
  // `n` bytes have come there.
  Outcome received(std::size_t n) noexcept;

  // Nothing if the proxy speaks for itself (a health check), or for no address.
  const std::optional<IpAddress>& client() const noexcept { return client_; }
  // After `failed`.
  std::string_view reason() const noexcept { return reason_; }

 private:
  static constexpr std::size_t kFixed = 16;
  static constexpr std::size_t kAddresses = 36;  // two of IPv6 with their ports

  Outcome fail(std::string_view reason) noexcept;
  Outcome fixed_part() noexcept;
  Outcome addresses() noexcept;

  std::array<std::uint8_t, kFixed + kAddresses> bytes_{};
  std::size_t filled_ = 0;
  std::size_t total_ = kFixed;  // of the header, as far as it is known
  std::optional<IpAddress> client_;
  std::string_view reason_;
};

}  // namespace aiserve::inline v0::http::detail
