// IpAddress: an address without its port, IPv4 kept as IPv6 keeps it (::ffff:192.0.2.1), so that
// both compare and mask alike; and blocks of addresses.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct sockaddr;

namespace aiserve::inline v0::http::detail {

class IpAddress {
 public:
  // "192.0.2.1" or "2001:db8::1", nothing else: no port, no brackets, no zone.
  static std::optional<IpAddress> parse(std::string_view text) noexcept;
  // Nothing for other families.
  static std::optional<IpAddress> of(const sockaddr& address) noexcept;
  static IpAddress v4(std::span<const std::uint8_t, 4> bytes) noexcept;
  static IpAddress v6(std::span<const std::uint8_t, 16> bytes) noexcept;

  bool is_v4() const noexcept;
  // In network order; of IPv4 the last four.
  std::span<const std::uint8_t, 16> bytes() const noexcept { return bytes_; }
  std::string text() const;
  // The first `bits` of 128; the rest is 0.
  IpAddress masked(unsigned bits) const noexcept;

  auto operator<=>(const IpAddress&) const = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

// "10.0.0.0/8", "2001:db8::/32", or one address.
class AddressBlock {
 public:
  static std::optional<AddressBlock> parse(std::string_view text);

  bool contains(const IpAddress& address) const noexcept { return address.masked(bits_) == first_; }

 private:
  AddressBlock(const IpAddress& address, unsigned bits) noexcept
      : first_(address.masked(bits)), bits_(bits) {}

  IpAddress first_;
  unsigned bits_;  // of 128
};

}  // namespace aiserve::inline v0::http::detail
