// ByteBlock: what a Bytes counts its references in. Two layouts share it: wide blocks, whose bytes
// are aligned to 64, and packed ones, which a module lays out for itself around the bytes so that a
// small value costs one small allocation.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "aiserve/core/bytes.hpp"

namespace aiserve::inline v0::detail {

/// Where blocks of a module's own memory go back to, on any thread.
class BlockPool {
 public:
  virtual void take_back(void* block) noexcept = 0;

 protected:
  ~BlockPool() = default;
};

/// Lies before the blocks of a pool: at their address, rounded down to kPoolAlignment.
struct PoolHeader {
  BlockPool* pool;
};
inline constexpr std::size_t kPoolAlignment = std::size_t{2} << 20;

struct ByteBlock {
  std::atomic<std::uint32_t> references{1};
  /// 0: a wide block. Else a packed one, which needs no destructor: all its bytes, and kPooled if
  /// they came from a BlockPool and not from ::operator new(size).
  std::uint32_t packed = 0;

  static constexpr std::uint32_t kPooled = 0x8000'0000;
  std::uint32_t packed_size() const noexcept { return packed & ~kPooled; }
  bool pooled() const noexcept { return (packed & kPooled) != 0; }
};

/// For whoever took the last reference away.
void free_block(ByteBlock* block) noexcept;

struct BytesAccess {
  /// Takes over one reference.
  static Bytes adopt(ByteBlock* block, const std::byte* data, std::size_t size) noexcept {
    return {block, data, size};
  }
};

}  // namespace aiserve::inline v0::detail
