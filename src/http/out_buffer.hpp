// OutBuffer: what a connection has yet to send: one run of text (heads and small bodies, appended)
// with references to large bodies between. Gathered into one vectored write.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <sys/uio.h>

#include "aiserve/core/bytes.hpp"

namespace aiserve::inline v0::http::detail {

class OutBuffer {
 public:
  // Bodies up to this size are copied behind their head, larger ones are referenced.
  static constexpr std::size_t kCopyUpTo = 8 * 1024;

  std::string& text() noexcept { return text_; }
  void append(Bytes body);

  std::size_t pending() const noexcept { return text_.size() + block_bytes_ - sent_; }
  bool empty() const noexcept { return pending() == 0; }
  // Fills `pieces` from the front; returns how many it used.
  std::size_t gather(std::span<iovec> pieces) const noexcept;
  // The first `n` pending bytes have left.
  void consume(std::size_t n) noexcept;

 private:
  struct Block {
    std::size_t at;  // position in text_ that the block stands before
    Bytes bytes;
  };

  std::string text_;
  std::vector<Block> blocks_;
  std::size_t block_bytes_ = 0;
  std::size_t sent_ = 0;  // of text and blocks together
};

}  // namespace aiserve::inline v0::http::detail
