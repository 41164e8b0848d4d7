#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "decide/cron_expression.hpp"

namespace aiserve::inline v0::decide {
namespace {

constexpr std::size_t kLongest = 256;
constexpr std::string_view kBlanks = " \t";

constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                      "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekdays = {"sun", "mon", "tue", "wed",
                                                       "thu", "fri", "sat"};

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kNicknames = {{
    {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
    {"@monthly", "0 0 1 * *"},
    {"@weekly", "0 0 * * 0"},
    {"@daily", "0 0 * * *"},
    {"@midnight", "0 0 * * *"},
    {"@hourly", "0 * * * *"},
}};

struct FieldKind {
  std::string_view name;
  int least = 0;
  int most = 0;
  std::span<const std::string_view> names{};  ///< the first means `least`
  bool is_days = false;                       ///< ? may stand for *
};

constexpr FieldKind kSecond{.name = "second", .most = 59};
constexpr FieldKind kMinute{.name = "minute", .most = 59};
constexpr FieldKind kHour{.name = "hour", .most = 23};
constexpr FieldKind kDayOfMonth{.name = "day of month", .least = 1, .most = 31, .is_days = true};
constexpr FieldKind kMonth{.name = "month", .least = 1, .most = 12, .names = kMonths};
constexpr FieldKind kWeekday{.name = "weekday", .most = 7, .names = kWeekdays, .is_days = true};

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return result;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at != std::string_view::npos;) {
    const std::size_t end = text.find_first_of(separators, at);
    parts.push_back(text.substr(at, end - at));
    at = end == std::string_view::npos ? end : end + 1;
  }
  return parts;
}

/// One or two digits.
std::optional<int> number_in(std::string_view text) noexcept {
  if (text.empty() || text.size() > 2) return std::nullopt;
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<int> value_in(std::string_view text, const FieldKind& kind) noexcept {
  const auto named = std::find(kind.names.begin(), kind.names.end(), text);
  if (named != kind.names.end()) return kind.least + static_cast<int>(named - kind.names.begin());
  const std::optional<int> value = number_in(text);
  return value && *value >= kind.least && *value <= kind.most ? value : std::nullopt;
}

struct Range {
  int first = 0;
  int last = 0;
};

bool is_any(std::string_view text, const FieldKind& kind) noexcept {
  return text == "*" || (kind.is_days && text == "?");
}

/// `*`, a, a-b; with a step a means from a to the end.
std::optional<Range> range_in(std::string_view text, const FieldKind& kind, bool stepped) noexcept {
  if (is_any(text, kind)) return Range{kind.least, kind.most};
  const std::size_t dash = text.find('-');
  const std::optional<int> first = value_in(text.substr(0, dash), kind);
  if (!first) return std::nullopt;
  if (dash == std::string_view::npos) return Range{*first, stepped ? kind.most : *first};
  const std::optional<int> last = value_in(text.substr(dash + 1), kind);
  if (!last || *last < *first) return std::nullopt;
  return Range{*first, *last};
}

/// The numbers that one element of a list names.
std::optional<std::uint64_t> element_in(std::string_view text, const FieldKind& kind) noexcept {
  const std::size_t slash = text.find('/');
  const bool stepped = slash != std::string_view::npos;
  const std::optional<Range> range = range_in(text.substr(0, slash), kind, stepped);
  const std::optional<int> step = stepped ? number_in(text.substr(slash + 1)) : 1;
  if (!range || !step || *step < 1 || *step > kind.most) return std::nullopt;
  std::uint64_t set = 0;
  for (int i = range->first; i <= range->last; i += *step) set |= std::uint64_t{1} << i;
  return set;
}

std::string complain(const FieldKind& kind, std::string_view element) {
  return "cron: '" + std::string(element) + "' is no " + std::string(kind.name) + " (" +
         std::to_string(kind.least) + "-" + std::to_string(kind.most) + ")";
}

Parsed<std::uint64_t> field_in(std::string_view text, const FieldKind& kind) {
  std::uint64_t set = 0;
  for (const std::string_view element : split(text, ",")) {
    const std::optional<std::uint64_t> members = element_in(element, kind);
    if (!members) return Parsed<std::uint64_t>::failed(complain(kind, element));
    set |= *members;
  }
  return set;
}

/// The list of days of the month without the `L` in it; nothing if that was all.
std::optional<std::string> without_last(std::string_view text, bool& last_day) {
  std::optional<std::string> rest;
  for (const std::string_view element : split(text, ",")) {
    if (element == "l") {
      last_day = true;
    } else {
      rest = (rest ? *rest + "," : std::string()).append(element);
    }
  }
  return rest;
}

/// Some day that may match lies in some month: with a weekday that restricts there always is one.
bool comes_ever(const CronExpression::Fields& fields) noexcept {
  if (fields.last_day || (!fields.any_day && !fields.any_weekday)) return true;
  constexpr std::array<int, 12> kLongestDays = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  for (unsigned month = 1; month <= 12; ++month) {
    const std::uint64_t days = (std::uint64_t{2} << kLongestDays[month - 1]) - 1;
    if ((fields.months >> month & 1) != 0 && (fields.days & days) != 0) return true;
  }
  return false;
}

bool starts_any(std::string_view text) noexcept {
  return !text.empty() && (text.front() == '*' || text.front() == '?');
}

Parsed<CronExpression> combine(std::span<const std::string_view> texts) {
  constexpr std::array<const FieldKind*, 6> kKinds = {&kSecond,     &kMinute, &kHour,
                                                      &kDayOfMonth, &kMonth,  &kWeekday};
  CronExpression::Fields fields;
  fields.any_day = starts_any(texts[3]);
  fields.any_weekday = starts_any(texts[5]);
  const std::optional<std::string> days = without_last(texts[3], fields.last_day);
  const std::array<std::uint64_t*, 6> sets = {&fields.seconds, &fields.minutes, &fields.hours,
                                              &fields.days,    &fields.months,  &fields.weekdays};
  for (std::size_t i = 0; i < sets.size(); ++i) {
    if (i == 3 && !days) continue;
    const Parsed<std::uint64_t> set = field_in(i == 3 ? *days : texts[i], *kKinds[i]);
    if (!set) return Parsed<CronExpression>::failed(set.error);
    *sets[i] = *set.value;
  }
  fields.weekdays = (fields.weekdays | fields.weekdays >> 7) & 0x7F;
  if (!comes_ever(fields)) return Parsed<CronExpression>::failed("cron: that date never comes");
  return CronExpression(fields);
}

std::string_view resolve(std::string_view text) noexcept {
  const auto found = std::find_if(kNicknames.begin(), kNicknames.end(),
                                  [text](const auto& entry) { return entry.first == text; });
  return found == kNicknames.end() ? text : found->second;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words = split(text, kBlanks);
  std::erase_if(words, [](std::string_view word) { return word.empty(); });
  return words;
}

}  // namespace

Parsed<CronExpression> parse_cron(std::string_view text) {
  if (text.size() > kLongest) return Parsed<CronExpression>::failed("cron: too long");
  const std::string clean = lower(text);
  std::vector<std::string_view> words = words_of(clean);
  if (words.size() == 1) words = words_of(resolve(words.front()));
  if (words.size() == 5) words.insert(words.begin(), "0");
  if (words.size() != 6) {
    return Parsed<CronExpression>::failed("cron: five or six fields, or a name like @daily");
  }
  return combine(words);
}

}  // namespace aiserve::inline v0::decide
