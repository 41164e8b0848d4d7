// Codings as another program would make and read them.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include <zlib.h>
#ifdef AISERVE_HAS_BROTLI
#include <brotli/decode.h>
#endif
#ifdef AISERVE_HAS_ZSTD
#include <zstd.h>
#endif

namespace aiserve::http {

inline constexpr int kGzip = MAX_WBITS + 16;
inline constexpr int kZlib = MAX_WBITS;
inline constexpr int kRaw = -MAX_WBITS;

inline std::string deflated(std::string_view text, int bits = kGzip) {
  z_stream stream{};
  if (deflateInit2(&stream, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

// Throws if `text` is not exactly one encoding of `size` bytes.
inline std::string inflated(std::string_view text, std::size_t size) {
  z_stream stream{};
  if (inflateInit2(&stream, kGzip) != Z_OK) throw std::bad_alloc();
  std::string out(size + 1, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int ended = inflate(&stream, Z_FINISH);
  const bool whole = ended == Z_STREAM_END && stream.avail_in == 0;
  out.resize(out.size() - stream.avail_out);
  inflateEnd(&stream);
  if (!whole) throw std::runtime_error("not gzip");
  return out;
}

inline std::string decoded(std::string_view coding, std::string_view text, std::size_t size) {
  std::string out(size + 1, '\0');
#ifdef AISERVE_HAS_BROTLI
  if (coding == "br") {
    std::size_t got = out.size();
    const auto* const in = reinterpret_cast<const std::uint8_t*>(text.data());
    auto* const to = reinterpret_cast<std::uint8_t*>(out.data());
    if (BrotliDecoderDecompress(text.size(), in, &got, to) != BROTLI_DECODER_RESULT_SUCCESS) {
      throw std::runtime_error("not brotli");
    }
    out.resize(got);
    return out;
  }
#endif
#ifdef AISERVE_HAS_ZSTD
  if (coding == "zstd") {
    const std::size_t got = ZSTD_decompress(out.data(), out.size(), text.data(), text.size());
    if (ZSTD_isError(got) != 0) throw std::runtime_error("not zstd");
    out.resize(got);
    return out;
  }
#endif
  return coding == "gzip" ? inflated(text, size) : std::string(text);
}

}  // namespace aiserve::http
