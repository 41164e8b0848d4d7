// ByteBlock: what a Bytes counts its references in. Two layouts share it: wide blocks, whose bytes
// are aligned to 64, and packed ones, which a module lays out for itself around the bytes so that a
// small value costs one small allocation.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "aiserve/core/bytes.hpp"

namespace aiserve::inline v0::detail {

struct ByteBlock {
  std::atomic<std::uint32_t> references{1};
  /// All bytes of a packed block, which came from ::operator new(size) and needs no destructor;
  /// 0: a wide one.
  std::uint32_t packed_size = 0;
};

struct BytesAccess {
  /// Takes over one reference.
  static Bytes adopt(ByteBlock* block, const std::byte* data, std::size_t size) noexcept {
    return {block, data, size};
  }
};

}  // namespace aiserve::inline v0::detail
