#include "http/http_date.hpp"

#include <array>
#include <chrono>
#include <cstdio>

#include "http/char_class.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Reads a date from the front, remembering only whether all of it fitted.
class Scanner {
 public:
  explicit Scanner(std::string_view text) noexcept : text_(text) {}

  void literal(std::string_view wanted) noexcept {
    if (!text_.starts_with(wanted)) return fail();
    text_.remove_prefix(wanted.size());
  }
  int number(std::size_t digits, bool padded = false) noexcept {
    if (text_.size() < digits) fail();
    int value = 0;
    for (std::size_t i = 0; i < digits && good_; ++i) {
      const bool pad = padded && i == 0 && text_[0] == ' ';
      if (!pad && !is(text_[i], kDigit)) fail();
      value = value * 10 + (pad ? 0 : text_[i] - '0');
    }
    if (good_) text_.remove_prefix(digits);
    return value;
  }
  unsigned month() noexcept {
    for (std::size_t i = 0; i < kMonths.size(); ++i) {
      if (!text_.starts_with(kMonths[i])) continue;
      text_.remove_prefix(3);
      return static_cast<unsigned>(i + 1);
    }
    fail();
    return 1;
  }
  std::chrono::seconds time() noexcept {
    const int hour = number(2);
    literal(":");
    const int minute = number(2);
    literal(":");
    const int second = number(2);
    if (hour > 23 || minute > 59 || second > 60) fail();
    return std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second);
  }
  bool complete() const noexcept { return good_ && text_.empty(); }

 private:
  void fail() noexcept { good_ = false; }

  std::string_view text_;
  bool good_ = true;
};

std::optional<std::int64_t> seconds_of(int year, unsigned month, int day,
                                       std::chrono::seconds time) noexcept {
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return (std::chrono::sys_days(date).time_since_epoch() + time) / std::chrono::seconds(1);
}

}  // namespace

void append_http_date(std::string& out, std::int64_t seconds) {
  const std::chrono::sys_seconds at{std::chrono::seconds(seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(at - day);
  std::array<char, 64> text;
  const int size = std::snprintf(
      text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d GMT",
      kDays[std::chrono::weekday(day).c_encoding()].data(), static_cast<unsigned>(date.day()),
      kMonths[static_cast<unsigned>(date.month()) - 1].data(), static_cast<int>(date.year()),
      static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
      static_cast<int>(time.seconds().count()));
  out.append(text.data(), static_cast<std::size_t>(size));
}

std::optional<std::int64_t> parse_http_date(std::string_view text) noexcept {
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos) {  // asctime
    if (text.size() < 4) return std::nullopt;
    Scanner scan(text.substr(4));
    const unsigned month = scan.month();
    scan.literal(" ");
    const int day = scan.number(2, true);
    scan.literal(" ");
    const auto time = scan.time();
    scan.literal(" ");
    const int year = scan.number(4);
    return scan.complete() ? seconds_of(year, month, day, time) : std::nullopt;
  }
  Scanner scan(text.substr(comma + 1));
  scan.literal(" ");
  const int day = scan.number(2);
  const bool full = comma == 3;
  scan.literal(full ? " " : "-");
  const unsigned month = scan.month();
  scan.literal(full ? " " : "-");
  int year = scan.number(full ? 4 : 2);
  if (!full) year += year < 70 ? 2000 : 1900;
  scan.literal(" ");
  const auto time = scan.time();
  scan.literal(" GMT");
  return scan.complete() ? seconds_of(year, month, day, time) : std::nullopt;
}

}  // namespace aiserve::inline v0::http::detail
