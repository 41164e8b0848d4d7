#include "serving/slab.hpp"

#include <algorithm>

namespace aiserve::inline v0::detail {

std::span<std::byte> Slab::take(std::size_t bytes) {
  most_ = std::max(most_, bytes);
  if (++batches_ >= kWindow) {
    if (block_.size() / 2 > most_) block_ = MutableBytes();
    batches_ = 0;
    most_ = 0;
  }
  if (block_.size() < bytes) {
    // Ahead of what is needed, so that batches that grow row by row don't allocate each time.
    const std::size_t ahead = block_.size() + block_.size() / 2;
    block_ = MutableBytes();  // first, so that both are not held
    block_ = MutableBytes(std::max(bytes, ahead));
  }
  return block_.span().first(bytes);
}

}  // namespace aiserve::inline v0::detail
