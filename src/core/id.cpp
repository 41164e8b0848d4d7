#include "aiserve/core/id.hpp"

#include "core/random.hpp"

namespace aiserve::inline v0 {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";  // Crockford base 32
constexpr std::uint8_t kInvalid = 0xff;

constexpr std::array<std::uint8_t, 256> make_digits() {
  std::array<std::uint8_t, 256> digits{};
  digits.fill(kInvalid);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    const auto upper = static_cast<unsigned char>(kAlphabet[i]);
    digits[upper] = static_cast<std::uint8_t>(i);
    if (upper >= 'A') digits[static_cast<std::size_t>(upper) + 32] = static_cast<std::uint8_t>(i);
  }
  return digits;
}
constexpr std::array<std::uint8_t, 256> kDigits = make_digits();

// Milliseconds and sequence in one number: the next id of this thread is above it.
std::uint64_t next_high(WallTime time) noexcept {
  thread_local std::uint64_t last = 0;
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
  const std::uint64_t floor =
      ms > 0 ? (static_cast<std::uint64_t>(ms) & 0xffff'ffff'ffff) << 16 : 0;
  // A fresh millisecond starts in the lower half of the sequence, at a random place.
  last = floor > last ? floor | (detail::random_u64() & 0x7fff) : last + 1;
  return last;
}

}  // namespace

Id Id::generate() noexcept { return generate(std::chrono::system_clock::now()); }

Id Id::generate(WallTime time) noexcept {
  const std::uint64_t high = next_high(time);
  return {high, detail::random_u64()};
}

IdText Id::text() const noexcept {
  std::array<char, IdText::kSize> characters;
  std::uint64_t high = high_;
  std::uint64_t low = low_;
  for (std::size_t i = IdText::kSize; i-- > 0;) {
    characters[i] = kAlphabet[low & 31];
    low = (low >> 5) | (high << 59);
    high >>= 5;
  }
  return IdText(characters);
}

std::optional<Id> Id::parse(std::string_view text) noexcept {
  if (text.size() != IdText::kSize || text[0] > '7') return std::nullopt;  // above 2^128
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  for (const char character : text) {
    const std::uint8_t digit = kDigits[static_cast<unsigned char>(character)];
    if (digit == kInvalid) return std::nullopt;
    high = (high << 5) | (low >> 59);
    low = (low << 5) | digit;
  }
  return Id(high, low);
}

}  // namespace aiserve::inline v0
