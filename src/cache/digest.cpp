#include "aiserve/cache/digest.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "core/random.hpp"
#include "core/siphash.hpp"

namespace aiserve::inline v0 {
namespace {

static_assert(std::endian::native == std::endian::little, "digests are of little-endian words");

using Sip = detail::SipHash<1, 3>;

// Never zero, so that it differs from what ends a digest.
constexpr std::uint64_t kTag = 0x80;
// 2^63: what no 64-bit integer with a sign reaches.
constexpr double kBeyond = 9223372036854775808.0;

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::uint64_t> parse_hex(std::string_view text) noexcept {
  std::uint64_t value = 0;
  for (const char c : text) {
    const int digit = hex_digit(c);
    if (digit < 0) return std::nullopt;
    value = value << 4 | static_cast<std::uint64_t>(digit);
  }
  return value;
}

void append_hex(std::string& out, std::uint64_t value) {
  for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[(value >> shift) & 15];
}

}  // namespace

std::optional<Digest> Digest::parse(std::string_view text) noexcept {
  if (text.size() != 2 * kSize) return std::nullopt;
  const auto high = parse_hex(text.substr(0, kSize));
  const auto low = parse_hex(text.substr(kSize));
  if (!high || !low) return std::nullopt;
  return Digest(*high, *low);
}

std::string Digest::to_string() const {
  std::string text;
  text.reserve(2 * kSize);
  append_hex(text, high_);
  append_hex(text, low_);
  return text;
}

std::array<char, Digest::kSize> Digest::bytes() const noexcept {
  std::array<char, kSize> bytes;
  std::memcpy(bytes.data(), &high_, sizeof high_);
  std::memcpy(bytes.data() + sizeof high_, &low_, sizeof low_);
  return bytes;
}

const DigestKey& DigestKey::of_process() noexcept {
  static const DigestKey key(detail::random_u64(), detail::random_u64());
  return key;
}

DigestKey DigestKey::from_secret(std::string_view secret) {
  if (secret.size() < 16) throw ConfigError("digest key: a secret needs at least 16 characters");
  const Digest digest = Digester(DigestKey(0, 0)).add(secret).finish();
  return {digest.high(), digest.low()};
}

Digester::Digester(const DigestKey& key) noexcept : state_(Sip::begin(key.first(), key.second())) {}

void Digester::word(std::uint64_t value) noexcept {
  Sip::word(state_, value);
  ++words_;
}

void Digester::tagged(Kind kind, std::uint64_t value) noexcept {
  word(kTag | static_cast<std::uint64_t>(kind));
  word(value);
}

void Digester::blob(Kind kind, ByteView bytes) noexcept {
  tagged(kind, bytes.size());
  const std::size_t whole = bytes.size() / 8;
  Sip::State state = state_;  // in registers
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < whole; ++i) {
    std::memcpy(&value, bytes.data() + 8 * i, 8);
    Sip::word(state, value);
  }
  state_ = state;
  words_ += whole;
  if (bytes.size() % 8 == 0) return;
  value = 0;
  std::memcpy(&value, bytes.data() + 8 * whole, bytes.size() % 8);
  word(value);
}

Digester& Digester::add(std::string_view text) noexcept {
  blob(Kind::text, std::as_bytes(std::span(text)));
  return *this;
}

Digester& Digester::add(ByteView bytes) noexcept {
  blob(Kind::bytes, bytes);
  return *this;
}

Digester& Digester::add_bool(bool value) noexcept {
  tagged(Kind::boolean, value ? 1 : 0);
  return *this;
}

Digester& Digester::add_signed(std::int64_t value) noexcept {
  tagged(Kind::integer, static_cast<std::uint64_t>(value));
  return *this;
}

Digester& Digester::add_unsigned(std::uint64_t value) noexcept {
  tagged(value > INT64_MAX ? Kind::large : Kind::integer, value);
  return *this;
}

Digester& Digester::add(double value) noexcept {
  if (value >= -kBeyond && value < kBeyond && std::trunc(value) == value) {
    return add_signed(static_cast<std::int64_t>(value));
  }
  if (value >= kBeyond && value < 2 * kBeyond) {
    return add_unsigned(static_cast<std::uint64_t>(value));
  }
  if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
  tagged(Kind::real, std::bit_cast<std::uint64_t>(value));
  return *this;
}

Digester& Digester::add(const Tensor& tensor) noexcept {
  tagged(Kind::tensor, static_cast<std::uint64_t>(tensor.dtype()) | tensor.shape().rank() << 8);
  for (const std::int64_t dim : tensor.shape().dims()) word(static_cast<std::uint64_t>(dim));
  blob(Kind::bytes, tensor.payload().view());
  return *this;
}

Digester& Digester::add(const TensorSet& tensors) {
  std::vector<const NamedTensor*> sorted;
  sorted.reserve(tensors.items().size());
  for (const NamedTensor& item : tensors.items()) sorted.push_back(&item);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto* a, const auto* b) { return a->name() < b->name(); });
  tagged(Kind::set, sorted.size());
  for (const NamedTensor* item : sorted) add(item->name()).add(item->tensor());
  return *this;
}

Digester& Digester::add(const Digest& digest) noexcept {
  tagged(Kind::digest, digest.high());
  word(digest.low());
  return *this;
}

Digest Digester::finish() const noexcept {
  const auto halves = Sip::finish(state_, (words_ * 8) << 56);
  return {halves[0], halves[1]};
}

}  // namespace aiserve::inline v0
