// Slab: memory for the rows of one input, kept from batch to batch, aligned to 64 bytes. What a
// large batch needed is given back once kWindow batches in a row needed less than half of it.
#pragma once

#include "aiserve/core/bytes.hpp"

namespace aiserve::inline v0::detail {

class Slab {
 public:
  static constexpr unsigned kWindow = 64;

  // Uninitialised, valid until the next call. 0: this batch needs none.
  std::span<std::byte> take(std::size_t bytes);
  std::size_t capacity() const noexcept { return block_.size(); }

 private:
  MutableBytes block_;
  std::size_t most_ = 0;  // needed in this window
  unsigned batches_ = 0;  // in this window
};

}  // namespace aiserve::inline v0::detail
