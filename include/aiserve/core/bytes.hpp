/// Bytes: an immutable, reference-counted slice of a block of memory.
///
/// Copies and slices share the block; nothing is copied until compact() or to_string(). Blocks are
/// aligned to 64 bytes (a cache line, and the widest vector register), so tensors lie in place.
/// What outlives a request (cache, jobs, flights) calls compact(): a small slice must not keep a
/// large block alive.
/// *Thread safety:* a Bytes is a value; distinct Bytes over one block may be used from any thread.
///
///     MutableBytes block(784);
///     std::memcpy(block.data(), pixels, 784);
///     Bytes image = std::move(block).freeze();
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace aiserve::inline v0 {

using ByteView = std::span<const std::byte>;

namespace detail {
struct ByteBlock;
void retain(ByteBlock* block) noexcept;
void release(ByteBlock* block) noexcept;
struct BytesAccess;
}  // namespace detail

class Bytes {
 public:
  Bytes() noexcept = default;
  Bytes(const Bytes& other) noexcept
      : block_(other.block_), data_(other.data_), size_(other.size_) {
    if (block_ != nullptr) detail::retain(block_);
  }
  Bytes(Bytes&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  Bytes& operator=(Bytes other) noexcept {
    swap(other);
    return *this;
  }
  ~Bytes() {
    if (block_ != nullptr) detail::release(block_);
  }

  /// A copy of `data` in a block of its own.
  static Bytes copy(ByteView data);
  static Bytes copy(std::string_view text);
  /// Takes the string over without copying its characters (short strings are copied).
  static Bytes adopt(std::string text);
  /// Memory that lives for the whole program: not counted, not copied.
  static Bytes literal(std::string_view text) noexcept;

  const std::byte* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  ByteView view() const noexcept { return {data_, size_}; }
  std::string_view text() const noexcept { return {reinterpret_cast<const char*>(data_), size_}; }
  std::string to_string() const { return std::string(text()); }

  /// Shares the block. `offset` and `length` are clamped to the slice.
  Bytes slice(std::size_t offset, std::size_t length = static_cast<std::size_t>(-1)) const noexcept;
  /// Size of the block that this slice keeps alive, 0 for literals.
  std::size_t block_size() const noexcept;
  /// Itself, or a copy when the slice is under half of its block.
  Bytes compact() const;

  void swap(Bytes& other) noexcept {
    std::swap(block_, other.block_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }
  friend bool operator==(const Bytes& a, const Bytes& b) noexcept { return a.text() == b.text(); }

 private:
  friend class MutableBytes;
  friend struct detail::BytesAccess;
  Bytes(detail::ByteBlock* block, const std::byte* data, std::size_t size) noexcept
      : block_(block), data_(data), size_(size) {}

  detail::ByteBlock* block_ = nullptr;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// The writable, uniquely owned stage of a block; freeze() ends it.
class MutableBytes {
 public:
  MutableBytes() noexcept = default;
  /// Uninitialised memory aligned to 64 bytes.
  explicit MutableBytes(std::size_t size);
  MutableBytes(MutableBytes&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  MutableBytes& operator=(MutableBytes&& other) noexcept {
    std::swap(block_, other.block_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~MutableBytes() {
    if (block_ != nullptr) detail::release(block_);
  }

  std::byte* data() noexcept;
  std::size_t size() const noexcept { return size_; }
  std::span<std::byte> span() noexcept { return {data(), size_}; }
  /// Gives the first `size` bytes (default: all) as immutable Bytes; this object is empty after.
  Bytes freeze(std::size_t size = static_cast<std::size_t>(-1)) && noexcept;

 private:
  detail::ByteBlock* block_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace aiserve::inline v0
