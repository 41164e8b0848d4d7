/// JsonLine: builds one JSON object in a fixed buffer; too long is cut and marked, never broken.
///
/// Takes no memory and does not throw. Output is ASCII-safe against log readers: control
/// characters, line separators and bidi controls are escaped, invalid UTF-8 becomes U+FFFD.
/// *Thread safety:* one thread.
///
///     JsonLine line;
///     line.add("msg", "hello");
///     sink(line.finish());  // {"msg":"hello"}
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace aiserve::inline v0::detail {

class JsonLine {
 public:
  static constexpr std::size_t kMaxSize = 8 * 1024;  ///< of the whole line, in bytes
  static constexpr std::size_t kMaxText = 4 * 1024;  ///< of one escaped text, in bytes

  JsonLine() noexcept { data_[0] = '{'; }

  void add(std::string_view key, std::string_view text) noexcept;
  void add(std::string_view key, std::int64_t number) noexcept { add_number(key, number); }
  void add(std::string_view key, std::uint64_t number) noexcept { add_number(key, number); }
  /// NaN and infinities become texts: JSON has no such numbers.
  void add(std::string_view key, double number) noexcept;
  void add(std::string_view key, bool value) noexcept;

  /// Closes the object. The view lives as long as this; nothing may be added after.
  std::string_view finish() noexcept;

 private:
  static constexpr std::string_view kTail = ",\"truncated\":true}";
  static constexpr std::size_t kRoom = kMaxSize - kTail.size();

  template <class Number>
  void add_number(std::string_view key, Number number) noexcept;
  bool put(std::string_view piece, std::size_t limit) noexcept;
  bool put_escaped(std::string_view text, std::size_t limit) noexcept;
  bool put_key(std::string_view key) noexcept;
  void add_raw(std::string_view key, std::string_view raw) noexcept;

  std::array<char, kMaxSize> data_;
  std::size_t size_ = 1;
  bool truncated_ = false;
};

}  // namespace aiserve::inline v0::detail
