#include "http/body_decoder.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <new>

#include <zlib.h>

namespace aiserve::inline v0::http::detail {
namespace {
constexpr std::size_t kStep = 16 * 1024;
}

BodyDecoder::BodyDecoder(Coding coding, std::uint64_t limit)
    : coding_(coding), left_(limit), stream_(std::make_unique<z_stream>()) {
  const int bits = coding == Coding::gzip ? MAX_WBITS + 16 : MAX_WBITS;
  if (inflateInit2(stream_.get(), bits) != Z_OK) throw std::bad_alloc();
}

BodyDecoder::~BodyDecoder() { inflateEnd(stream_.get()); }

BodyDecoder::Outcome BodyDecoder::feed(ByteView& input, std::string& out, std::size_t most) {
  auto* const bytes = reinterpret_cast<const Bytef*>(input.data());
  stream_->next_in = const_cast<Bytef*>(bytes);
  stream_->avail_in = static_cast<uInt>(input.size());
  const std::size_t before = out.size();
  Outcome outcome = Outcome::more;
  for (bool again = true; again && out.size() - before < most;) {
    if (at_end_) {
      if (stream_->avail_in == 0) break;
      // Another member.
      if (coding_ != Coding::gzip || inflateReset(stream_.get()) != Z_OK) return Outcome::broken;
      at_end_ = false;
    }
    outcome = step(out);
    holds_back_ = !at_end_ && stream_->avail_out == 0;
    again = outcome == Outcome::more && (stream_->avail_in != 0 || holds_back_);
  }
  input = input.last(stream_->avail_in);
  return outcome;
}

BodyDecoder::Outcome BodyDecoder::step(std::string& out) {
  // One byte more than what is left tells a body that just fits from one that doesn't.
  std::array<char, kStep> piece;
  const auto room = static_cast<std::size_t>(std::min<std::uint64_t>(left_ + 1, kStep));
  stream_->next_out = reinterpret_cast<Bytef*>(piece.data());
  stream_->avail_out = static_cast<uInt>(room);
  const int result = inflate(stream_.get(), Z_NO_FLUSH);
  const std::size_t got = room - stream_->avail_out;
  if (got > left_) return Outcome::large;
  left_ -= got;
  out.append(piece.data(), got);
  if (result == Z_STREAM_END) {
    at_end_ = true;
    return Outcome::more;
  }
  return result == Z_OK || result == Z_BUF_ERROR ? Outcome::more : Outcome::broken;
}

DecodedBody decode_body(Coding coding, ByteView body, std::uint64_t limit) {
  if (body.size() > std::numeric_limits<uInt>::max()) return {413, {}};
  BodyDecoder decoder(coding, limit);
  std::string out;
  const BodyDecoder::Outcome outcome = decoder.feed(body, out);
  if (outcome == BodyDecoder::Outcome::large) return {413, {}};
  if (outcome == BodyDecoder::Outcome::broken || !decoder.complete()) return {400, {}};
  return {0, Bytes::adopt(std::move(out))};
}

}  // namespace aiserve::inline v0::http::detail
