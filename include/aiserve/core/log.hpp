/// Logger: one JSON object per line.
///
/// A line is at most 8 KiB and stays one line whatever text a caller sends: control and bidi
/// characters and line separators are escaped, invalid UTF-8 becomes U+FFFD, what is too long is
/// cut and marked "truncated":true. Repeats of a message at warn and above are limited (20 in 5 s
/// by default); what was left out is told in one line with "suppressed":n. Messages are literals,
/// what varies goes into fields.
/// Writing takes no memory and no lock but the sink's own; it never throws.
/// *Thread safety:* any thread; the sink is called from many threads at once and must be quick.
///
///     Logger log({.service = "classifier"});
///     log.warn(ctx, "queue full", {{"model", name}, {"depth", 12}});
///     // {"time":"2024-05-01T10:00:00.123Z","level":"warn","msg":"queue full","service":...
#pragma once

#include <aiserve/core/clock.hpp>
#include <aiserve/core/trace.hpp>

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace aiserve::inline v0 {

class Context;

enum class LogLevel : std::uint8_t { trace, debug, info, warn, error, off };
std::string_view to_string(LogLevel level) noexcept;
/// "trace" to "error" and "off"; nothing for other text.
std::optional<LogLevel> parse_log_level(std::string_view name) noexcept;

/// Gets each line without its newline. Exceptions it throws are swallowed.
using LogSink = std::function<void(LogLevel, std::string_view line)>;

/// A field's value. Text is not copied: it must live until the call returns.
class LogValue {
 public:
  using Variant = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

  LogValue(std::string_view value) noexcept : value_(value) {}
  LogValue(const std::string& value) noexcept : value_(std::string_view(value)) {}
  LogValue(const char* value) noexcept
      : value_(value == nullptr ? std::string_view("null") : std::string_view(value)) {}
  LogValue(std::same_as<bool> auto value) noexcept : value_(value) {}
  template <std::signed_integral T>
  LogValue(T value) noexcept : value_(static_cast<std::int64_t>(value)) {}
  template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>) LogValue(T value)
  noexcept : value_(static_cast<std::uint64_t>(value)) {}
  LogValue(std::floating_point auto value) noexcept : value_(static_cast<double>(value)) {}

  const Variant& variant() const noexcept { return value_; }

 private:
  Variant value_;
};

struct LogField {
  std::string_view key;
  LogValue value;
};
using LogFields = std::initializer_list<LogField>;

/// Whose work a line is about; a Context converts to it. Empty members are left out.
struct LogContext {
  LogContext() noexcept = default;
  /// Refers to the Context, which must live until the call returns.
  LogContext(const Context& ctx);

  std::string_view request_id;
  std::string_view tenant;
  TraceParent trace;
};

/// How often one message may repeat.
struct LogRepeats {
  /// Lines per message and interval; 0 turns the limit off.
  std::uint32_t burst = 20;
  std::chrono::milliseconds interval{5'000};
  /// Below this level everything is written.
  LogLevel from = LogLevel::warn;
};

struct LoggerOptions {
  /// Written with every line if not empty.
  std::string service{};
  /// Lines below are dropped; can be changed while running.
  LogLevel level = LogLevel::info;
  /// Default: lines to stderr, one write(2) each.
  LogSink sink{};
  LogRepeats repeats{};
  /// Default: Clock::steady().
  Clock* clock = nullptr;
};

class Logger {
 public:
  Logger() : Logger(LoggerOptions{}) {}
  /// Throws ConfigError when repeats.interval is not above 0.
  explicit Logger(LoggerOptions options);
  /// Tells what was suppressed and not told yet.
  ~Logger();
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  LogLevel level() const noexcept { return level_.load(std::memory_order_relaxed); }
  void set_level(LogLevel level) noexcept { level_.store(level, std::memory_order_relaxed); }
  /// False: a line of that level would be dropped; spare yourself making its fields.
  bool enabled(LogLevel level) const noexcept {
    return level >= this->level() && level != LogLevel::off;
  }

  void log(LogLevel level, const LogContext& context, std::string_view message,
           LogFields fields = {}) noexcept {
    if (enabled(level)) write(level, context, message, {fields.begin(), fields.size()});
  }
  /// For fields that were collected in a container.
  void log(LogLevel level, const LogContext& context, std::string_view message,
           std::span<const LogField> fields) noexcept {
    if (enabled(level)) write(level, context, message, fields);
  }

  void debug(std::string_view message, LogFields fields = {}) noexcept {
    log(LogLevel::debug, {}, message, fields);
  }
  void info(std::string_view message, LogFields fields = {}) noexcept {
    log(LogLevel::info, {}, message, fields);
  }
  void warn(std::string_view message, LogFields fields = {}) noexcept {
    log(LogLevel::warn, {}, message, fields);
  }
  void error(std::string_view message, LogFields fields = {}) noexcept {
    log(LogLevel::error, {}, message, fields);
  }
  void debug(const LogContext& context, std::string_view message, LogFields fields = {}) noexcept {
    log(LogLevel::debug, context, message, fields);
  }
  void info(const LogContext& context, std::string_view message, LogFields fields = {}) noexcept {
    log(LogLevel::info, context, message, fields);
  }
  void warn(const LogContext& context, std::string_view message, LogFields fields = {}) noexcept {
    log(LogLevel::warn, context, message, fields);
  }
  void error(const LogContext& context, std::string_view message, LogFields fields = {}) noexcept {
    log(LogLevel::error, context, message, fields);
  }

  /// Tells what was suppressed in intervals that are over. Lines written later do that as well; a
  /// periodic call bounds how late.
  void flush() noexcept;

 private:
  struct Impl;
  void write(LogLevel level, const LogContext& context, std::string_view message,
             std::span<const LogField> fields) noexcept;

  std::atomic<LogLevel> level_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aiserve::inline v0
