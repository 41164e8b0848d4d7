// KeyedHash: SipHash-1-3 of a text under a random key, for tables whose keys a stranger chooses.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "core/random.hpp"
#include "core/siphash.hpp"

namespace aiserve::inline v0::detail {

class KeyedHash {
 public:
  using is_transparent = void;

  KeyedHash() noexcept : begin_(Sip::begin(random_u64(), random_u64())) {}

  std::uint64_t operator()(std::string_view text) const noexcept {
    Sip::State state = begin_;
    const std::uint64_t size = text.size();
    for (; text.size() >= 8; text.remove_prefix(8)) Sip::word(state, word(text.data(), 8));
    return Sip::finish(state, word(text.data(), text.size()) | size << 56)[0];
  }

 private:
  using Sip = SipHash<1, 3>;
  static std::uint64_t word(const char* bytes, std::size_t size) noexcept {
    std::uint64_t value = 0;
    if (size != 0) std::memcpy(&value, bytes, size);
    return value;
  }

  Sip::State begin_;
};

}  // namespace aiserve::inline v0::detail
