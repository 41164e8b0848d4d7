#include "aiserve/core/bytes.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

#include "core/byte_block.hpp"

namespace aiserve::inline v0 {
namespace {
constexpr std::size_t kAlignment = 64;
}

namespace detail {
namespace {

// The header fills one aligned line, the bytes follow it. An adopted string lives in the header's
// place of the bytes instead, so that its characters need no copy.
struct alignas(kAlignment) WideBlock : ByteBlock {
  explicit WideBlock(std::size_t block_size) noexcept : size(block_size) {}

  std::size_t size;
  std::string adopted;

  std::byte* bytes() noexcept { return reinterpret_cast<std::byte*>(this + 1); }

  static WideBlock* create(std::size_t size) {
    if (size > static_cast<std::size_t>(-1) / 2) throw std::bad_alloc();
    void* memory = ::operator new (sizeof(WideBlock) + size, std::align_val_t{kAlignment});
    return new (memory) WideBlock(size);
  }
};
static_assert(sizeof(WideBlock) % kAlignment == 0);

WideBlock* wide(ByteBlock* block) noexcept { return static_cast<WideBlock*>(block); }

BlockPool& pool_of(ByteBlock* block) noexcept {
  const auto at = reinterpret_cast<std::uintptr_t>(block);
  return *reinterpret_cast<PoolHeader*>(at & ~(kPoolAlignment - 1))->pool;
}

}  // namespace

void retain(ByteBlock* block) noexcept {
  block->references.fetch_add(1, std::memory_order_relaxed);
}

void release(ByteBlock* block) noexcept {
  if (block->references.fetch_sub(1, std::memory_order_acq_rel) == 1) free_block(block);
}

void free_block(ByteBlock* block) noexcept {
  if (block->pooled()) return pool_of(block).take_back(block);
  if (block->packed != 0) return ::operator delete(static_cast<void*>(block));
  wide(block)->~WideBlock();
  ::operator delete (block, std::align_val_t{kAlignment});
}

}  // namespace detail

Bytes Bytes::copy(ByteView data) {
  if (data.empty()) return {};
  MutableBytes block(data.size());
  std::memcpy(block.data(), data.data(), data.size());
  return std::move(block).freeze();
}

Bytes Bytes::copy(std::string_view text) { return copy(std::as_bytes(std::span(text))); }

Bytes Bytes::adopt(std::string text) {
  constexpr std::size_t kCopyBelow = 64;
  if (text.size() < kCopyBelow) return copy(std::string_view(text));
  auto* block = detail::WideBlock::create(0);
  block->adopted = std::move(text);
  block->size = block->adopted.capacity();
  return {block, reinterpret_cast<const std::byte*>(block->adopted.data()), block->adopted.size()};
}

Bytes Bytes::literal(std::string_view text) noexcept {
  return {nullptr, reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

Bytes Bytes::slice(std::size_t offset, std::size_t length) const noexcept {
  const std::size_t begin = std::min(offset, size_);
  Bytes part(*this);
  part.data_ = data_ == nullptr ? nullptr : data_ + begin;
  part.size_ = std::min(length, size_ - begin);
  return part;
}

std::size_t Bytes::block_size() const noexcept {
  if (block_ == nullptr) return 0;
  return block_->packed != 0 ? block_->packed_size() : detail::wide(block_)->size;
}

Bytes Bytes::compact() const {
  if (block_ == nullptr || size_ * 2 >= block_size()) return *this;
  return copy(view());
}

MutableBytes::MutableBytes(std::size_t size)
    : block_(detail::WideBlock::create(size)), size_(size) {}

std::byte* MutableBytes::data() noexcept {
  return block_ == nullptr ? nullptr : detail::wide(block_)->bytes();
}

Bytes MutableBytes::freeze(std::size_t size) && noexcept {
  std::byte* bytes = data();
  const std::size_t length = std::min(size, std::exchange(size_, 0));
  return {std::exchange(block_, nullptr), bytes, length};
}

}  // namespace aiserve::inline v0
