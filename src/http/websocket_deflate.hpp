// permessage-deflate (RFC 7692): the two ends of a compressed message, and the pool of an I/O
// thread that lends them.
//
// An inflater holds some 40 KiB and a deflater up to 256 KiB, so without context takeover (the
// default) they are lent for one message only and an idle connection has none.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <zlib.h>

namespace aiserve::inline v0::http::detail {

class Inflater {
 public:
  enum class Outcome { ok, too_large, malformed };

  Inflater();
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Appends what `input` inflates to, but never lets `out` grow beyond `limit` bytes.
  Outcome inflate(std::string_view input, std::string& out, std::size_t limit);
  // The end of a message: section 7.2.2.
  Outcome finish(std::string& out, std::size_t limit);
  // Forgets the messages before.
  void reset() noexcept { ::inflateReset(&stream_); }

 private:
  z_stream stream_{};
};

class Deflater {
 public:
  Deflater(int level, int window_bits);
  ~Deflater();
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  // Appends the compressed message (section 7.2.1).
  void deflate(std::string_view message, std::string& out);
  void reset() noexcept { ::deflateReset(&stream_); }

  const int level;
  const int window_bits;

 private:
  z_stream stream_{};
};

class DeflatePool {
 public:
  std::unique_ptr<Inflater> take_inflater();
  std::unique_ptr<Deflater> take_deflater(int level, int window_bits);
  void give_back(std::unique_ptr<Inflater> inflater) noexcept;
  void give_back(std::unique_ptr<Deflater> deflater) noexcept;

 private:
  static constexpr std::size_t kKeep = 4;

  std::vector<std::unique_ptr<Inflater>> inflaters_;
  std::vector<std::unique_ptr<Deflater>> deflaters_;
};

}  // namespace aiserve::inline v0::http::detail
