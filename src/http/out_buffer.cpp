#include "http/out_buffer.hpp"

#include <algorithm>

namespace aiserve::inline v0::http::detail {

void OutBuffer::append(Bytes body) {
  if (body.size() <= kCopyUpTo) {
    text_ += body.text();
    return;
  }
  block_bytes_ += body.size();
  blocks_.push_back({text_.size(), std::move(body)});
}

std::size_t OutBuffer::gather(std::span<iovec> pieces) const noexcept {
  std::size_t used = 0;
  std::size_t skip = sent_;
  const auto add = [&](const void* data, std::size_t size) {
    const std::size_t hidden = std::min(skip, size);
    skip -= hidden;
    if (size == hidden || used == pieces.size()) return;
    const char* const begin = static_cast<const char*>(data) + hidden;
    pieces[used++] = {const_cast<char*>(begin), size - hidden};
  };
  std::size_t at = 0;
  for (const Block& block : blocks_) {
    add(text_.data() + at, block.at - at);
    add(block.bytes.data(), block.bytes.size());
    at = block.at;
  }
  add(text_.data() + at, text_.size() - at);
  return used;
}

void OutBuffer::consume(std::size_t n) noexcept {
  constexpr std::size_t kKeep = 64 * 1024;
  sent_ += n;
  if (pending() != 0) {
    // Blocks that have left are let go as soon as the text before them has, too.
    while (!blocks_.empty() && blocks_.front().at + blocks_.front().bytes.size() <= sent_) {
      const std::size_t at = blocks_.front().at;
      const std::size_t gone = at + blocks_.front().bytes.size();
      block_bytes_ -= blocks_.front().bytes.size();
      blocks_.erase(blocks_.begin());
      text_.erase(0, at);
      for (Block& block : blocks_) block.at -= at;
      sent_ -= gone;
    }
    // A reader who is always a little behind must not make the text grow for ever.
    if (blocks_.empty() && sent_ >= kKeep && sent_ * 2 >= text_.size()) {
      text_.erase(0, sent_);
      sent_ = 0;
    }
    return;
  }
  text_.clear();
  if (text_.capacity() > kKeep) std::string().swap(text_);
  blocks_.clear();
  block_bytes_ = sent_ = 0;
}

}  // namespace aiserve::inline v0::http::detail
