// Compression of a whole body in one of the codings this build has.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/coding.hpp"

namespace aiserve::inline v0::http::detail {

bool can_compress(Coding coding) noexcept;

// Nothing if that isn't smaller than the body. Levels: gzip 6, brotli 5, zstd 3, what their
// programs' authors recommend for content made on the fly.
std::optional<std::string> compress(Coding coding, std::string_view body);

}  // namespace aiserve::inline v0::http::detail
