/// LogLimiter: decides which repeats of a log message are written. A pure decision: `now` comes in.
///
/// A message may be written `burst` times per interval; the interval starts with its first line.
/// The table holds 256 messages, four to a row; a fifth takes the place of the row's oldest.
/// *Thread safety:* one thread at a time.
#pragma once

#include <aiserve/core/log.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace aiserve::inline v0::detail {

/// What is told when an interval is over: the message (its first 96 bytes) and how many lines of it
/// were left out.
struct Suppressed {
  static constexpr std::size_t kMaxText = 96;

  LogLevel level{};
  std::uint64_t count = 0;
  std::array<char, kMaxText> text{};
  std::size_t size = 0;

  std::string_view message() const noexcept { return {text.data(), size}; }
};

class LogLimiter {
 public:
  struct Verdict {
    bool write = true;
    std::optional<Suppressed> told{};  ///< to be told first
  };

  /// Precondition: repeats.interval > 0.
  explicit LogLimiter(const LogRepeats& repeats) noexcept : repeats_(repeats) {}

  Verdict on_message(LogLevel level, std::string_view message, TimePoint now) noexcept;
  /// One message whose interval is over and of which lines were left out; call until empty.
  std::optional<Suppressed> next_told(TimePoint now) noexcept;
  /// The same whatever the time.
  std::optional<Suppressed> next_told() noexcept { return next_told(TimePoint::max()); }

 private:
  static constexpr std::size_t kRows = 64;
  static constexpr std::size_t kWays = 4;

  struct Entry {
    std::uint64_t hash = 0;
    TimePoint begin{};
    std::uint32_t written = 0;  ///< 0: the entry is free
    Suppressed suppressed{};
  };

  bool over(const Entry& entry, TimePoint now) const noexcept {
    return now - entry.begin >= repeats_.interval;
  }
  static std::optional<Suppressed> take(Entry& entry) noexcept;

  LogRepeats repeats_;
  std::array<std::array<Entry, kWays>, kRows> table_{};
};

}  // namespace aiserve::inline v0::detail
