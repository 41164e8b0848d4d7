// Checksum: 64 bits over a sequence of values, against accidents (cut files, flipped bits, a row
// under the wrong key). Not against forgery: its key is known. Never changes, it lies in files.
#pragma once

#include <cstring>

#include "aiserve/core/bytes.hpp"
#include "core/siphash.hpp"

namespace aiserve::inline v0::detail {

class Checksum {
 public:
  Checksum& add(std::uint64_t value) noexcept {
    Sip::word(state_, value);
    return *this;
  }
  Checksum& add(ByteView bytes) noexcept {
    add(std::uint64_t{bytes.size()});
    for (; bytes.size() >= 8; bytes = bytes.subspan(8)) add(word(bytes.first(8)));
    return bytes.empty() ? *this : add(word(bytes));
  }
  Checksum& add(std::string_view text) noexcept { return add(std::as_bytes(std::span(text))); }
  std::uint64_t finish() const noexcept { return Sip::finish(state_, 0)[0]; }

 private:
  using Sip = SipHash<1, 3>;
  static std::uint64_t word(ByteView bytes) noexcept {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), bytes.size());
    return value;
  }

  Sip::State state_ = Sip::begin(0x6169736572766531, 0x63686563);
};

}  // namespace aiserve::inline v0::detail
