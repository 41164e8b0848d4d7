// Reading whole files, and their SHA-256.
#pragma once

#include <cstddef>
#include <string>

#include "aiserve/core/bytes.hpp"
#include "aiserve/core/result.hpp"

namespace aiserve::inline v0::detail {

// The bytes of a regular file. Errors, each a phrase that fits behind "FILE: ": not_found,
// invalid_argument (a directory, too large, empty), unavailable (cannot be opened or read).
Result<Bytes> read_file(const std::string& path, std::size_t max_size);

// Lower-case hex.
std::string sha256_hex(ByteView data);

// 64 hex digits of either case, in lower case; invalid_argument otherwise.
Result<std::string> parse_sha256(std::string text);

}  // namespace aiserve::inline v0::detail
