// Content codings (RFC 9110 section 8.4.1) and what a client says it accepts.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace aiserve::inline v0::http::detail {

enum class Coding : std::uint8_t { identity, gzip, deflate, brotli, zstd };
inline constexpr std::size_t kCodings = 5;

// "gzip", "br", ...
std::string_view name(Coding coding) noexcept;
std::optional<Coding> coding_named(std::string_view token) noexcept;

// The Accept-Encoding fields of one request (RFC 9110 section 12.5.3).
class AcceptEncoding {
 public:
  // One field line. An element that is malformed is as good as absent.
  void add(std::string_view field) noexcept;
  // 0 (not accepted) to 1000.
  int weight(Coding coding) const noexcept;

 private:
  void add_element(std::string_view element) noexcept;

  static constexpr int kUnsaid = -1;
  std::array<int, kCodings> weights_{kUnsaid, kUnsaid, kUnsaid, kUnsaid, kUnsaid};
  int others_ = kUnsaid;  // "*"
};

}  // namespace aiserve::inline v0::http::detail
