#include "http/ip_address.hpp"

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace aiserve::inline v0::http::detail {
namespace {

constexpr unsigned kMappedBits = 96;  // of ::ffff:0:0/96
constexpr std::size_t kMappedBytes = kMappedBits / 8;
constexpr std::array<std::uint8_t, kMappedBytes> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) noexcept {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size() || text.find('\0') != text.npos) return std::nullopt;
  std::copy(text.begin(), text.end(), terminated.begin());
  std::array<std::uint8_t, 16> bytes{};
  if (::inet_pton(AF_INET, terminated.data(), bytes.data()) == 1) {
    return v4(std::span(bytes).first<4>());
  }
  if (::inet_pton(AF_INET6, terminated.data(), bytes.data()) == 1) return v6(bytes);
  return std::nullopt;
}

std::optional<IpAddress> IpAddress::of(const sockaddr& address) noexcept {
  std::array<std::uint8_t, 16> bytes{};
  if (address.sa_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(address).sin_addr;
    const auto* const data = reinterpret_cast<const std::uint8_t*>(&in);
    std::copy_n(data, 4, bytes.begin());
    return v4(std::span(bytes).first<4>());
  }
  if (address.sa_family != AF_INET6) return std::nullopt;
  const auto& in = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  std::copy_n(static_cast<const std::uint8_t*>(in.s6_addr), bytes.size(), bytes.begin());
  return v6(bytes);
}

IpAddress IpAddress::v4(std::span<const std::uint8_t, 4> bytes) noexcept {
  IpAddress address;
  std::copy(kMapped.begin(), kMapped.end(), address.bytes_.begin());
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin() + kMappedBytes);
  return address;
}

IpAddress IpAddress::v6(std::span<const std::uint8_t, 16> bytes) noexcept {
  IpAddress address;
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
  return address;
}

bool IpAddress::is_v4() const noexcept {
  return std::equal(kMapped.begin(), kMapped.end(), bytes_.begin());
}

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = is_v4() ? AF_INET : AF_INET6;
  ::inet_ntop(family, bytes_.data() + (is_v4() ? kMappedBytes : 0), text.data(), text.size());
  return text.data();
}

IpAddress IpAddress::masked(unsigned bits) const noexcept {
  IpAddress address = *this;
  for (unsigned byte = 0; byte < address.bytes_.size(); ++byte) {
    const unsigned kept = std::min(8u, bits - std::min(bits, byte * 8));
    address.bytes_[byte] = static_cast<std::uint8_t>(address.bytes_[byte] & (0xff00u >> kept));
  }
  return address;
}

std::optional<AddressBlock> AddressBlock::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return AddressBlock(*address, 128);
  const std::string_view length = text.substr(slash + 1);
  unsigned bits = 0;
  const auto parsed = std::from_chars(length.data(), length.data() + length.size(), bits);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == length.data() + length.size();
  const unsigned before = text.find(':') == text.npos ? kMappedBits : 0;
  if (!whole || bits > 128 - before) return std::nullopt;
  return AddressBlock(*address, bits + before);
}

}  // namespace aiserve::inline v0::http::detail
