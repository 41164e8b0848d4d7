#include "decide/posix_tz.hpp"

#include <chrono>

namespace aiserve::inline v0::decide {
namespace {

constexpr std::int64_t kDay = 86'400;

/// Reads from the front of a text; once something did not fit, nothing fits any more.
class Reader {
 public:
  explicit Reader(std::string_view text) noexcept : rest_(text) {}

  bool good() const noexcept { return good_; }
  bool done() const noexcept { return good_ && rest_.empty(); }
  bool next_is(char c) const noexcept { return !rest_.empty() && rest_.front() == c; }

  bool take(char c) noexcept {
    if (!next_is(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) noexcept {
    if (!take(c)) good_ = false;
  }

  /// One to three digits.
  int number(int least, int most) noexcept {
    int value = 0;
    int digits = 0;
    while (digits < 3 && !rest_.empty() && is_digit(rest_.front())) {
      value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
      ++digits;
    }
    if (digits == 0 || value < least || value > most) good_ = false;
    return value;
  }

  /// [+-]hh[:mm[:ss]] in seconds.
  std::int32_t time(int most_hours) noexcept {
    const bool negative = take('-');
    if (!negative) take('+');
    std::int32_t seconds = number(0, most_hours) * 3600;
    if (take(':')) {
      seconds += number(0, 59) * 60;
      if (take(':')) seconds += number(0, 59);
    }
    return negative ? -seconds : seconds;
  }

  /// At least three letters, or anything of letters, digits and signs in < >.
  void name() noexcept {
    const bool quoted = take('<');
    std::size_t length = 0;
    while (length < rest_.size() && in_name(rest_[length], quoted)) ++length;
    if (length < 3) good_ = false;
    rest_.remove_prefix(length);
    if (quoted) expect('>');
  }

 private:
  static bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
  static bool in_name(char c, bool quoted) noexcept {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || (quoted && (is_digit(c) || c == '+' || c == '-'));
  }

  std::string_view rest_;
  bool good_ = true;
};

YearlyRule read_rule(Reader& text) noexcept {
  YearlyRule rule;
  if (text.take('M')) {
    rule.month = text.number(1, 12);
    text.expect('.');
    rule.week = text.number(1, 5);
    text.expect('.');
    rule.day = text.number(0, 6);
  } else if (text.take('J')) {
    rule.kind = YearlyRule::Kind::julian;
    rule.day = text.number(1, 365);
  } else {
    rule.kind = YearlyRule::Kind::ordinal;
    rule.day = text.number(0, 365);
  }
  if (text.take('/')) rule.seconds = text.time(167);
  return rule;
}

PosixTz::Summer read_summer(Reader& text, std::int32_t standard) noexcept {
  PosixTz::Summer summer;
  text.name();
  summer.offset = text.next_is(',') ? standard + 3600 : -text.time(24);
  text.expect(',');
  summer.begin = read_rule(text);
  text.expect(',');
  summer.end = read_rule(text);
  return summer;
}

std::int64_t days_of(std::chrono::sys_days day) noexcept { return day.time_since_epoch().count(); }

std::int64_t weekday_of(const YearlyRule& rule, int year) noexcept {
  using namespace std::chrono;
  const auto month_of_year = std::chrono::year(year) / month(static_cast<unsigned>(rule.month));
  const weekday day(static_cast<unsigned>(rule.day));
  if (rule.week == 5) return days_of(month_of_year / day[last]);
  return days_of(month_of_year / day[static_cast<unsigned>(rule.week)]);
}

std::int64_t day_of(const YearlyRule& rule, int year) noexcept {
  if (rule.kind == YearlyRule::Kind::weekday) return weekday_of(rule, year);
  const std::chrono::year of(year);
  const std::int64_t first = days_of(of / std::chrono::January / 1);
  if (rule.kind == YearlyRule::Kind::ordinal) return first + rule.day;
  const bool after_february = rule.day >= 60;
  return first + rule.day - 1 + (of.is_leap() && after_february ? 1 : 0);
}

}  // namespace

std::int64_t YearlyRule::in(int year) const noexcept {
  return day_of(*this, year) * kDay + seconds;
}

Parsed<PosixTz> parse_posix_tz(std::string_view text) {
  Reader reader(text);
  PosixTz zone;
  reader.name();
  zone.offset = -reader.time(24);
  if (reader.good() && !reader.done()) zone.summer = read_summer(reader, zone.offset);
  if (reader.done()) return zone;
  return Parsed<PosixTz>::failed("not a POSIX TZ rule with dates: '" + std::string(text) + "'");
}

}  // namespace aiserve::inline v0::decide
