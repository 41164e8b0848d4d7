#include "core/log_limiter.hpp"

#include <algorithm>
#include <cstring>
#include <functional>

namespace aiserve::inline v0::detail {
namespace {

std::uint64_t hash_of(LogLevel level, std::string_view message) noexcept {
  return std::hash<std::string_view>()(message) * 8 + static_cast<std::uint64_t>(level);
}

}  // namespace

std::optional<Suppressed> LogLimiter::take(Entry& entry) noexcept {
  if (entry.suppressed.count == 0) return std::nullopt;
  std::optional<Suppressed> told(entry.suppressed);
  entry.suppressed.count = 0;
  return told;
}

LogLimiter::Verdict LogLimiter::on_message(LogLevel level, std::string_view message,
                                           TimePoint now) noexcept {
  const std::uint64_t hash = hash_of(level, message);
  auto& row = table_[(hash >> 3) % kRows];
  auto known = std::find_if(row.begin(), row.end(), [hash](const Entry& entry) {
    return entry.written > 0 && entry.hash == hash;
  });
  if (known != row.end() && !over(*known, now)) {
    if (known->written < repeats_.burst) return ++known->written, Verdict{};
    ++known->suppressed.count;
    return {.write = false};
  }
  if (known == row.end()) {
    known = std::min_element(row.begin(), row.end(), [](const Entry& a, const Entry& b) {
      return a.written == 0 || (b.written != 0 && a.begin < b.begin);
    });
  }
  Verdict verdict{.told = take(*known)};
  *known = Entry{.hash = hash, .begin = now, .written = 1};
  known->suppressed.level = level;
  known->suppressed.size = std::min(message.size(), Suppressed::kMaxText);
  std::memcpy(known->suppressed.text.data(), message.data(), known->suppressed.size);
  return verdict;
}

std::optional<Suppressed> LogLimiter::next_told(TimePoint now) noexcept {
  for (auto& row : table_) {
    for (Entry& entry : row) {
      if (entry.suppressed.count > 0 && (now == TimePoint::max() || over(entry, now))) {
        return take(entry);
      }
    }
  }
  return std::nullopt;
}

}  // namespace aiserve::inline v0::detail
