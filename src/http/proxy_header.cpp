#include "http/proxy_header.hpp"

#include <algorithm>

namespace aiserve::inline v0::http::detail {
namespace {

constexpr std::array<std::uint8_t, 12> kSignature{0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                                  0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
// Far more than certificates' names need, far less than the 64 KiB that could be said.
constexpr std::size_t kMaxTotal = 4096;

constexpr std::uint8_t kLocal = 0x20;
constexpr std::uint8_t kProxy = 0x21;

enum Family : std::uint8_t { unspecified = 0x00, tcp4 = 0x11, tcp6 = 0x21, unix_stream = 0x31 };

// Of both ends.
std::size_t address_bytes(std::uint8_t family) noexcept {
  switch (family) {
    case tcp4:
      return 12;
    case tcp6:
      return 36;
    case unix_stream:
      return 216;
    default:
      return 0;
  }
}

}  // namespace

std::span<std::uint8_t> ProxyHeader::target() noexcept {
  // What follows the addresses is of no interest and overwrites them; they have been read by then.
  const std::size_t at = filled_ < bytes_.size() ? filled_ : kFixed;
  return std::span(bytes_).subspan(at, std::min(total_ - filled_, bytes_.size() - at));
}

ProxyHeader::Outcome ProxyHeader::received(std::size_t n) noexcept {
  const std::size_t before = filled_;
  filled_ += n;
  if (before < kFixed) {
    const std::size_t seen = std::min(filled_, kSignature.size());
    if (!std::equal(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(seen),
                    kSignature.begin())) {
      return fail("no PROXY header of version 2");
    }
    if (filled_ < kFixed) return Outcome::more;
    if (fixed_part() == Outcome::failed) return Outcome::failed;
  }
  const std::size_t needed = std::min(total_, bytes_.size());
  if (before < needed && filled_ >= needed && total_ > kFixed) addresses();
  return filled_ < total_ ? Outcome::more : Outcome::done;
}

ProxyHeader::Outcome ProxyHeader::fixed_part() noexcept {
  const std::uint8_t command = bytes_[12];
  const std::uint8_t family = bytes_[13];
  const std::size_t length = std::size_t{bytes_[14]} * 256 + bytes_[15];
  total_ = kFixed + length;
  if (total_ > kMaxTotal) return fail("a PROXY header of more than 4096 bytes");
  if (command != kLocal && command != kProxy) return fail("an unknown PROXY command");
  if (command == kLocal) return Outcome::done;
  const bool known = family == unspecified || address_bytes(family) != 0;
  if (!known) return fail("a PROXY header for something else than a stream");
  if (length < address_bytes(family)) return fail("a PROXY header without its addresses");
  return Outcome::done;
}

ProxyHeader::Outcome ProxyHeader::addresses() noexcept {
  if (bytes_[12] == kLocal) return Outcome::done;
  const auto source = std::span(bytes_).subspan<kFixed, 16>();
  if (bytes_[13] == tcp4) client_ = IpAddress::v4(source.first<4>());
  if (bytes_[13] == tcp6) client_ = IpAddress::v6(source);
  return Outcome::done;
}

ProxyHeader::Outcome ProxyHeader::fail(std::string_view reason) noexcept {
  reason_ = reason;
  return Outcome::failed;
}

}  // namespace aiserve::inline v0::http::detail
