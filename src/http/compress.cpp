#include "http/compress.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>

#include <zlib.h>

#ifdef AISERVE_HAS_BROTLI
#include <brotli/encode.h>
#endif
#ifdef AISERVE_HAS_ZSTD
#include <zstd.h>
#endif

namespace aiserve::inline v0::http::detail {
namespace {

// The base-2 logarithm of a window that holds the body, so that small ones need little memory.
[[maybe_unused]] int window_bits(std::size_t size, int low, int high) noexcept {
  return std::clamp(static_cast<int>(std::bit_width(size)), low, high);
}

// Each writes to `out` and returns the size, 0 if it doesn't fit or fails.

std::size_t gzip(std::string_view body, std::string& out) noexcept {
  constexpr int kLevel = 6;
  constexpr int kGzip = 16;  // added to the window's bits
  constexpr int kMemory = 8;
  z_stream stream{};
  const int bits = kGzip + window_bits(body.size(), 9, MAX_WBITS);
  if (deflateInit2(&stream, kLevel, Z_DEFLATED, bits, kMemory, Z_DEFAULT_STRATEGY) != Z_OK) {
    return 0;
  }
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int ended = deflate(&stream, Z_FINISH);
  const std::size_t size = out.size() - stream.avail_out;
  deflateEnd(&stream);
  return ended == Z_STREAM_END ? size : 0;
}

#ifdef AISERVE_HAS_BROTLI
std::size_t brotli(std::string_view body, std::string& out) noexcept {
  constexpr int kQuality = 5;
  std::size_t size = out.size();
  const int bits = window_bits(body.size(), BROTLI_MIN_WINDOW_BITS, BROTLI_DEFAULT_WINDOW);
  const auto* const in = reinterpret_cast<const std::uint8_t*>(body.data());
  const bool done = BrotliEncoderCompress(kQuality, bits, BROTLI_MODE_TEXT, body.size(), in, &size,
                                          reinterpret_cast<std::uint8_t*>(out.data())) != 0;
  return done ? size : 0;
}
#endif

#ifdef AISERVE_HAS_ZSTD
std::size_t zstd(std::string_view body, std::string& out) noexcept {
  constexpr int kLevel = 3;
  const std::size_t size = ZSTD_compress(out.data(), out.size(), body.data(), body.size(), kLevel);
  return ZSTD_isError(size) != 0 ? 0 : size;
}
#endif

std::size_t compress_into(std::string& out, Coding coding, std::string_view body) noexcept {
  switch (coding) {
    case Coding::gzip:
      return gzip(body, out);
#ifdef AISERVE_HAS_BROTLI
    case Coding::brotli:
      return brotli(body, out);
#endif
#ifdef AISERVE_HAS_ZSTD
    case Coding::zstd:
      return zstd(body, out);
#endif
    default:
      return 0;
  }
}

}  // namespace

bool can_compress(Coding coding) noexcept {
  switch (coding) {
    case Coding::gzip:
#ifdef AISERVE_HAS_BROTLI
    case Coding::brotli:
#endif
#ifdef AISERVE_HAS_ZSTD
    case Coding::zstd:
#endif
      return true;
    default:
      return false;
  }
}

std::optional<std::string> compress(Coding coding, std::string_view body) {
  if (body.empty() || body.size() > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  std::string out(body.size() - 1, '\0');
  const std::size_t size = compress_into(out, coding, body);
  if (size == 0) return std::nullopt;
  out.resize(size);
  out.shrink_to_fit();
  return out;
}

}  // namespace aiserve::inline v0::http::detail
