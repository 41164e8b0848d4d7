// One GET on a connection of its own, for "does it answer yet?".
#pragma once

#include <cstdint>
#include <string>

namespace bench {

/// The whole response, or an empty string if nobody answers.
std::string http_get(std::uint16_t port, const std::string& path);

}  // namespace bench
