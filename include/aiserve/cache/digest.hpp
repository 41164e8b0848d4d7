/// Digest: 128 bits that stand for an input, and the Digester that makes them.
///
/// A keyed hash (SipHash-1-3 with 128 bits of output; Aumasson and Bernstein, 2012): whoever does
/// not know the key cannot make two inputs meet. Every value is hashed with its kind and length, so
/// that no two sequences of values look alike. Numbers are canonical: 1 and 1.0 are one number, so
/// are 0.0 and -0.0, and all NaNs; the elements of a tensor are taken as their bytes.
/// The default key is random per process. What outlives the process (tiers, ETags) needs one that
/// stays the same: DigestKey::from_secret().
/// *Thread safety:* values.
///
///     Digester digester(key);
///     digester.add("resnet").add(version).add(image);
///     Digest digest = digester.finish();
#pragma once

#include <aiserve/core/tensor.hpp>

#include <array>
#include <compare>
#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace aiserve::inline v0 {

class Digest {
 public:
  static constexpr std::size_t kSize = 16;

  constexpr Digest() noexcept = default;
  constexpr Digest(std::uint64_t high, std::uint64_t low) noexcept : high_(high), low_(low) {}
  /// 32 hexadecimal digits, either case; nothing for any other text.
  static std::optional<Digest> parse(std::string_view text) noexcept;

  constexpr std::uint64_t high() const noexcept { return high_; }
  constexpr std::uint64_t low() const noexcept { return low_; }
  /// 32 lower-case hexadecimal digits.
  std::string to_string() const;
  /// The 16 bytes, for use as a part of a key.
  std::array<char, kSize> bytes() const noexcept;

  friend constexpr auto operator<=>(const Digest&, const Digest&) noexcept = default;

 private:
  std::uint64_t high_ = 0;
  std::uint64_t low_ = 0;
};

class DigestKey {
 public:
  /// The one of this process, drawn from the system at its first use.
  static const DigestKey& of_process() noexcept;
  /// The same for the same text, in every process. Throws ConfigError under 16 characters.
  static DigestKey from_secret(std::string_view secret);

  constexpr DigestKey(std::uint64_t first, std::uint64_t second) noexcept
      : first_(first), second_(second) {}
  constexpr std::uint64_t first() const noexcept { return first_; }
  constexpr std::uint64_t second() const noexcept { return second_; }
  friend constexpr bool operator==(const DigestKey&, const DigestKey&) noexcept = default;

 private:
  std::uint64_t first_;
  std::uint64_t second_;
};

class Digester {
 public:
  explicit Digester(const DigestKey& key = DigestKey::of_process()) noexcept;

  Digester& add(std::string_view text) noexcept;
  Digester& add(const char* text) noexcept { return add(std::string_view(text)); }
  Digester& add(const std::string& text) noexcept { return add(std::string_view(text)); }
  Digester& add(ByteView bytes) noexcept;
  Digester& add(const Bytes& bytes) noexcept { return add(bytes.view()); }
  Digester& add(std::same_as<bool> auto value) noexcept { return add_bool(value); }
  template <std::integral T>
  requires(!std::same_as<T, bool>) Digester& add(T value) noexcept {
    if constexpr (std::is_signed_v<T>) {
      return add_signed(static_cast<std::int64_t>(value));
    } else {
      return add_unsigned(static_cast<std::uint64_t>(value));
    }
  }
  Digester& add(double value) noexcept;
  /// Element type, shape and elements.
  Digester& add(const Tensor& tensor) noexcept;
  /// By name, whatever the order.
  Digester& add(const TensorSet& tensors);
  Digester& add(const Digest& digest) noexcept;
  /// A host's own type: `void digest_into(Digester&, const Type&)` in its namespace.
  template <class T>
  requires requires(Digester& digester, const T& value) { digest_into(digester, value); }
  Digester& add(const T& value) {
    digest_into(*this, value);
    return *this;
  }

  /// Of all that was added so far; more may be added.
  Digest finish() const noexcept;

 private:
  enum class Kind : std::uint8_t {
    text,
    bytes,
    boolean,
    integer,
    large,
    real,
    tensor,
    set,
    digest
  };

  Digester& add_bool(bool value) noexcept;
  Digester& add_signed(std::int64_t value) noexcept;
  Digester& add_unsigned(std::uint64_t value) noexcept;
  void word(std::uint64_t value) noexcept;
  void tagged(Kind kind, std::uint64_t value) noexcept;
  void blob(Kind kind, ByteView bytes) noexcept;

  std::array<std::uint64_t, 4> state_;
  std::uint64_t words_ = 0;
};

/// What digests can be made of.
template <class T>
concept Digestible = requires(Digester& digester, const T& value) {
  digester.add(value);
};

}  // namespace aiserve::inline v0

template <>
struct std::hash<aiserve::Digest> {
  std::size_t operator()(const aiserve::Digest& digest) const noexcept {
    return static_cast<std::size_t>(digest.low());
  }
};
