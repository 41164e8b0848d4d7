// A PROXY header of version 2 as a proxy would write it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "aiserve/http/method.hpp"

namespace aiserve::http {

// `source` has 4 or 16 bytes.
inline std::string proxy_header(const std::vector<std::uint8_t>& source, std::string_view extra) {
  const std::size_t length = 2 * source.size() + 4 + extra.size();
  std::string bytes("\r\n\r\n\0\r\nQUIT\n", 12);
  bytes += '\x21';
  bytes += source.size() == 4 ? '\x11' : '\x21';
  bytes += static_cast<char>(length / 256);
  bytes += static_cast<char>(length % 256);
  bytes.append(source.begin(), source.end());
  bytes.append(source.size(), '\x7f');
  bytes += std::string_view("\x13\x88\x00\x50", 4);
  bytes += extra;
  return bytes;
}

}  // namespace aiserve::http
