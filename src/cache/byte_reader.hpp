// ByteReader: reads what may be cut or garbled. After the first read past the end it gives zeros
// and says so; look at ok() before using what was read.
#pragma once

#include <cstring>
#include <type_traits>

#include "aiserve/core/bytes.hpp"

namespace aiserve::inline v0::detail {

class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) noexcept : bytes_(std::move(bytes)) {}

  bool ok() const noexcept { return ok_; }

  template <class T>
  requires std::is_trivially_copyable_v<T> T read()
  noexcept {
    T value{};
    if (!has(sizeof value)) return value;
    std::memcpy(&value, bytes_.data() + at_, sizeof value);
    at_ += sizeof value;
    return value;
  }
  Bytes take(std::size_t size) noexcept {
    if (!has(size)) return {};
    at_ += size;
    return bytes_.slice(at_ - size, size);
  }
  /// With what pads it to a multiple of 8 bytes.
  Bytes take_padded(std::size_t size) noexcept {
    Bytes taken = take(size);
    take((8 - size % 8) % 8);
    return taken;
  }
  /// What has not been read.
  Bytes rest() const noexcept { return ok_ ? bytes_.slice(at_) : Bytes(); }

 private:
  bool has(std::size_t size) noexcept {
    ok_ = ok_ && size <= bytes_.size() - at_;
    return ok_;
  }

  Bytes bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace aiserve::inline v0::detail
