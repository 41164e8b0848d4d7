#include "aiserve/core/log.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <mutex>
#include <utility>

#include <sys/uio.h>
#include <unistd.h>

#include "aiserve/core/context.hpp"
#include "core/json_line.hpp"
#include "core/log_limiter.hpp"
#include "core/rfc3339.hpp"

namespace aiserve::inline v0 {
namespace {

constexpr std::array<std::string_view, 6> kLevels{"trace", "debug", "info", "warn", "error", "off"};
constexpr std::array<std::string_view, 10> kReserved{
    "time",   "level",    "msg",     "service",    "request_id",
    "tenant", "trace_id", "span_id", "suppressed", "truncated"};

// One writev per line, so that lines of several processes on one pipe stay whole up to PIPE_BUF;
// the lock keeps longer ones whole within this process. What a broken stderr refuses is lost.
class StderrSink {
 public:
  StderrSink() : mutex_(std::make_shared<std::mutex>()) {}
  void operator()(LogLevel, std::string_view line) const noexcept {
    const std::scoped_lock lock(*mutex_);
    char newline = '\n';
    std::array<iovec, 2> parts{iovec{const_cast<char*>(line.data()), line.size()},
                               iovec{&newline, 1}};
    while (parts[0].iov_len + parts[1].iov_len > 0) {
      const ssize_t wrote = ::writev(STDERR_FILENO, parts.data(), 2);
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) return;
      advance(parts, static_cast<std::size_t>(wrote));
    }
  }

 private:
  static void advance(std::array<iovec, 2>& parts, std::size_t wrote) noexcept {
    for (iovec& part : parts) {
      const std::size_t step = std::min(wrote, part.iov_len);
      part.iov_base = static_cast<char*>(part.iov_base) + step;
      part.iov_len -= step;
      wrote -= step;
    }
  }

  std::shared_ptr<std::mutex> mutex_;  // std::function copies its target
};

void add_field(detail::JsonLine& line, const LogField& field) noexcept {
  std::array<char, 32> renamed;
  std::string_view key = field.key;
  if (std::find(kReserved.begin(), kReserved.end(), key) != kReserved.end()) {
    char* end = std::copy(key.begin(), key.end(), renamed.begin());
    *end++ = '_';  // a field never passes for one of the logger's own
    key = {renamed.data(), static_cast<std::size_t>(end - renamed.data())};
  }
  std::visit([&](const auto& value) { line.add(key, value); }, field.value.variant());
}

void add_unless_empty(detail::JsonLine& line, std::string_view key,
                      std::string_view text) noexcept {
  if (!text.empty()) line.add(key, text);
}

}  // namespace

std::string_view to_string(LogLevel level) noexcept {
  return kLevels[std::min<std::size_t>(static_cast<std::size_t>(level), kLevels.size() - 1)];
}

std::optional<LogLevel> parse_log_level(std::string_view name) noexcept {
  const auto found = std::find(kLevels.begin(), kLevels.end(), name);
  if (found == kLevels.end()) return std::nullopt;
  return static_cast<LogLevel>(found - kLevels.begin());
}

LogContext::LogContext(const Context& ctx)
    : request_id(ctx.request_id()), tenant(ctx.tenant().id().view()), trace(ctx.trace()) {}

struct Logger::Impl {
  explicit Impl(LoggerOptions given)
      : service(std::move(given.service)),
        sink(given.sink ? std::move(given.sink) : LogSink(StderrSink())),
        repeats(given.repeats),
        clock(given.clock != nullptr ? *given.clock : Clock::steady()),
        limiter(given.repeats) {}

  void begin(detail::JsonLine& line, LogLevel level, std::string_view message) noexcept {
    line.add("time", detail::Rfc3339(clock.wall_now()).view());
    line.add("level", to_string(level));
    line.add("msg", message);
    add_unless_empty(line, "service", service);
  }

  void emit(LogLevel level, detail::JsonLine& line) noexcept {
    try {
      sink(level, line.finish());
    } catch (...) {  // a host's sink that fails must not take the request with it
    }
  }

  void tell(const detail::Suppressed& told) noexcept {
    detail::JsonLine line;
    begin(line, told.level, told.message());
    line.add("suppressed", told.count);
    emit(told.level, line);
  }

  // True if the line may be written; tells what has to be told before it.
  bool admit(LogLevel level, std::string_view message, TimePoint now) noexcept {
    if (repeats.burst == 0 || level < repeats.from) return true;
    std::unique_lock lock(mutex);
    const auto verdict = limiter.on_message(level, message, now);
    lock.unlock();
    if (verdict.told) tell(*verdict.told);
    return verdict.write;
  }

  void sweep(TimePoint now) noexcept {
    while (true) {
      std::unique_lock lock(mutex);
      const auto told = limiter.next_told(now);
      lock.unlock();
      if (!told) return;
      tell(*told);
    }
  }

  void sweep_if_due(TimePoint now) noexcept {
    auto due = next_sweep.load(std::memory_order_relaxed);
    if (now.time_since_epoch() < due) return;
    const auto next = now.time_since_epoch() + Duration(repeats.interval);
    if (next_sweep.compare_exchange_strong(due, next, std::memory_order_relaxed)) sweep(now);
  }

  const std::string service;
  const LogSink sink;
  const LogRepeats repeats;
  Clock& clock;
  std::atomic<Duration> next_sweep{Duration::min()};
  std::mutex mutex;
  detail::LogLimiter limiter;
};

Logger::Logger(LoggerOptions options) : level_(options.level) {
  if (options.repeats.interval.count() <= 0) {
    throw ConfigError("log repeats.interval must be above 0");
  }
  impl_ = std::make_unique<Impl>(std::move(options));
}

Logger::~Logger() { impl_->sweep(TimePoint::max()); }

void Logger::flush() noexcept { impl_->sweep(impl_->clock.now()); }

void Logger::write(LogLevel level, const LogContext& context, std::string_view message,
                   std::span<const LogField> fields) noexcept {
  const TimePoint now = impl_->clock.now();
  impl_->sweep_if_due(now);
  if (!impl_->admit(level, message, now)) return;
  detail::JsonLine line;
  impl_->begin(line, level, message);
  add_unless_empty(line, "request_id", context.request_id);
  add_unless_empty(line, "tenant", context.tenant);
  if (context.trace.valid()) {
    line.add("trace_id", context.trace.trace_text().view());
    line.add("span_id", context.trace.span_text().view());
  }
  for (const LogField& field : fields) add_field(line, field);
  impl_->emit(level, line);
}

}  // namespace aiserve::inline v0
