// BodyDecoder: a request body in gzip or deflate, decoded piece by piece up to a limit.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "aiserve/core/bytes.hpp"
#include "http/coding.hpp"

struct z_stream_s;

namespace aiserve::inline v0::http::detail {

class BodyDecoder {
 public:
  enum class Outcome : std::uint8_t {
    more,    // takes more; what it took so far may be all, see complete()
    broken,  // 400
    large    // 413
  };

  static constexpr std::size_t kAll = static_cast<std::size_t>(-1);

  // gzip (RFC 1952, also several members) or deflate (RFC 1950, as RFC 9110 section 8.4.1.2
  // demands). Nothing beyond `limit` bytes is ever decoded. Throws std::bad_alloc.
  BodyDecoder(Coding coding, std::uint64_t limit);
  ~BodyDecoder();
  BodyDecoder(const BodyDecoder&) = delete;
  BodyDecoder& operator=(const BodyDecoder&) = delete;

  // Takes bytes off `input` and appends what they say to `out`, until that has grown by `most` (or
  // by up to 16 KiB more).
  Outcome feed(ByteView& input, std::string& out, std::size_t most = kAll);
  // There is more to append, even without further input.
  bool holds_back() const noexcept { return holds_back_; }
  // The body may end here.
  bool complete() const noexcept { return at_end_; }

 private:
  Outcome step(std::string& out);

  const Coding coding_;
  std::uint64_t left_;
  bool at_end_ = false;
  bool holds_back_ = false;
  std::unique_ptr<z_stream_s> stream_;
};

// In words, why a body cannot be decoded.
inline constexpr const char* kDecodesToMore = "the body decodes to more than this resource takes";
inline constexpr const char* kNotInCoding = "the body is not in its content coding";

struct DecodedBody {
  int status = 0;  // 0, or what answers: 400, 413
  Bytes body;
};
DecodedBody decode_body(Coding coding, ByteView body, std::uint64_t limit);

}  // namespace aiserve::inline v0::http::detail
