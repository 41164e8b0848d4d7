#include "http/websocket_deflate.hpp"

#include <algorithm>
#include <array>
#include <new>

namespace aiserve::inline v0::http::detail {
namespace {

constexpr std::size_t kPiece = 16 * 1024;
constexpr int kMemoryLevel = 8;
constexpr int kAnyWindow = 15;
// What ends the last block of a message and is left out on the wire.
constexpr std::string_view kTail("\0\0\xFF\xFF", 4);

// zlib reads only, but its interface is older than const.
Bytef* as_input(const char* data) noexcept {
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(data));
}

}  // namespace

// Negative window bits: a raw deflate stream.
Inflater::Inflater() {
  if (::inflateInit2(&stream_, -kAnyWindow) != Z_OK) throw std::bad_alloc();
}

Inflater::~Inflater() { ::inflateEnd(&stream_); }

Inflater::Outcome Inflater::inflate(std::string_view input, std::string& out, std::size_t limit) {
  std::array<char, kPiece> piece;
  stream_.next_in = as_input(input.data());
  stream_.avail_in = static_cast<uInt>(input.size());
  for (;;) {
    stream_.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream_.avail_out = static_cast<uInt>(piece.size());
    const int status = ::inflate(&stream_, Z_SYNC_FLUSH);
    const std::size_t made = piece.size() - stream_.avail_out;
    const std::size_t room = limit - std::min(limit, out.size());
    out.append(piece.data(), std::min(made, room));
    if (made > room) return Outcome::too_large;
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
      return Outcome::malformed;
    }
    // A block may say that it is the last one (section 7.2.3.4); the window stays.
    if (status == Z_STREAM_END) ::inflateResetKeep(&stream_);
    const bool full = stream_.avail_out == 0;
    if (!full && (stream_.avail_in == 0 || status == Z_BUF_ERROR)) return Outcome::ok;
  }
}

Inflater::Outcome Inflater::finish(std::string& out, std::size_t limit) {
  return inflate(kTail, out, limit);
}

Deflater::Deflater(int its_level, int its_window_bits)
    : level(its_level), window_bits(its_window_bits) {
  if (::deflateInit2(&stream_, level, Z_DEFLATED, -window_bits, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    throw std::bad_alloc();
  }
}

Deflater::~Deflater() { ::deflateEnd(&stream_); }

void Deflater::deflate(std::string_view message, std::string& out) {
  std::array<char, kPiece> piece;
  stream_.next_in = as_input(message.data());
  stream_.avail_in = static_cast<uInt>(message.size());
  do {
    stream_.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream_.avail_out = static_cast<uInt>(piece.size());
    ::deflate(&stream_, Z_SYNC_FLUSH);
    out.append(piece.data(), piece.size() - stream_.avail_out);
  } while (stream_.avail_out == 0);
  if (out.ends_with(kTail)) out.resize(out.size() - kTail.size());
}

std::unique_ptr<Inflater> DeflatePool::take_inflater() {
  if (inflaters_.empty()) return std::make_unique<Inflater>();
  std::unique_ptr<Inflater> inflater = std::move(inflaters_.back());
  inflaters_.pop_back();
  return inflater;
}

std::unique_ptr<Deflater> DeflatePool::take_deflater(int level, int window_bits) {
  const auto fits = [&](const std::unique_ptr<Deflater>& one) {
    return one->level == level && one->window_bits == window_bits;
  };
  const auto found = std::find_if(deflaters_.begin(), deflaters_.end(), fits);
  if (found == deflaters_.end()) return std::make_unique<Deflater>(level, window_bits);
  std::unique_ptr<Deflater> deflater = std::move(*found);
  deflaters_.erase(found);
  return deflater;
}

void DeflatePool::give_back(std::unique_ptr<Inflater> inflater) noexcept {
  if (inflater == nullptr || inflaters_.size() >= kKeep) return;
  inflater->reset();
  if (inflaters_.capacity() == 0) inflaters_.reserve(kKeep);
  inflaters_.push_back(std::move(inflater));
}

void DeflatePool::give_back(std::unique_ptr<Deflater> deflater) noexcept {
  if (deflater == nullptr || deflaters_.size() >= kKeep) return;
  deflater->reset();
  if (deflaters_.capacity() == 0) deflaters_.reserve(kKeep);
  deflaters_.push_back(std::move(deflater));
}

}  // namespace aiserve::inline v0::http::detail
