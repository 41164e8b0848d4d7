// How an Error is kept as a negative entry: code, retry-after in ms or -1, message.
#pragma once

#include "aiserve/core/bytes.hpp"
#include "aiserve/core/error.hpp"

namespace aiserve::inline v0::detail {

Bytes encode_error(const Error& error);
/// internal if the bytes are garbled.
Error decode_error(const Bytes& bytes);

}  // namespace aiserve::inline v0::detail
