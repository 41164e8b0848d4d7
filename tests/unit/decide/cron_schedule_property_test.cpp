// Random expressions around the changes of clocks, against the slowest and most obvious reading of
// the rules: look at every minute there is.
#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "decide/cron_schedule.hpp"

using namespace aiserve::decide;

namespace {

constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kDay = 86'400;
constexpr Nanos kSecond = 1'000'000'000;

/// A field as text, and the numbers that it names.
struct Field {
  std::string text;
  std::set<int> members;
  bool any = false;
};

class Model {
 public:
  explicit Model(std::mt19937_64& random) : random_(random) {
    minute_ = field(0, 59, 1);
    hour_ = field(0, 23, 2);
    day_ = field(1, 31, 3);
    month_ = field(1, 12, 4);
    weekday_ = field(0, 6, 3);
  }

  std::string text() const {
    return minute_.text + " " + hour_.text + " " + day_.text + " " + month_.text + " " +
           weekday_.text;
  }

  /// Seconds in [from, end) at which it runs; both are whole minutes.
  std::vector<std::int64_t> runs(const TimeZone& zone, std::int64_t from, std::int64_t end) const {
    std::vector<std::int64_t> runs;
    const bool passes = hour_.members.size() == 24;
    TimeZone::Span span = zone.at(from - 2 * kDay);
    std::int64_t passed = from - kDay;  // local times before it have been
    for (std::int64_t at = from - 2 * kDay; at < end; at += kMinute) {
      if (at >= span.end) span = zone.at(at);
      const std::int64_t local = at + span.offset;
      bool run = false;
      for (std::int64_t time = passes ? local : passed; time <= local; time += kMinute) {
        run = run || matches(time);
      }
      if (run && at >= from) runs.push_back(at);
      passed = std::max(passed, local + kMinute);
    }
    return runs;
  }

 private:
  int below(int bound) { return static_cast<int>(random_() % static_cast<std::uint64_t>(bound)); }

  /// `*` once in `odds`, or a list of ranges with steps.
  Field field(int least, int most, int odds) {
    Field field;
    field.any = odds > 1 && below(odds) > 0;
    if (field.any) {
      const int step = below(4) == 0 ? 1 + below(3) : 1;
      field.text = step == 1 ? "*" : "*/" + std::to_string(step);
      for (int i = least; i <= most; i += step) field.members.insert(i);
      return field;
    }
    for (int parts = 1 + below(3); parts > 0; --parts) {
      const int first = least + below(most - least + 1);
      const int last = first + below(most - first + 1);
      const int step = 1 + below(most);
      field.text += (field.text.empty() ? "" : ",") + std::to_string(first) + "-" +
                    std::to_string(last) + "/" + std::to_string(step);
      for (int i = first; i <= last; i += step) field.members.insert(i);
    }
    return field;
  }

  bool matches(std::int64_t local) const {
    const std::chrono::sys_seconds time{std::chrono::seconds(local)};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const auto of_day = (time - day).count();
    const bool in_day = day_.members.count(static_cast<int>(static_cast<unsigned>(date.day()))) > 0;
    const auto week_day = static_cast<int>(std::chrono::weekday(day).c_encoding());
    const bool in_week = weekday_.members.count(week_day) > 0;
    const bool either = !day_.any && !weekday_.any;
    return minute_.members.count(static_cast<int>(of_day / 60 % 60)) > 0 &&
           hour_.members.count(static_cast<int>(of_day / 3600)) > 0 &&
           month_.members.count(static_cast<int>(static_cast<unsigned>(date.month()))) > 0 &&
           (either ? in_day || in_week : in_day && in_week);
  }

  std::mt19937_64& random_;
  Field minute_, hour_, day_, month_, weekday_;
};

TimeZone zone_of(const char* rule) { return TimeZone(0, {}, parse_posix_tz(rule).value); }

}  // namespace

TEST_CASE("over random expressions, zones and days runs are those of the rules read literally") {
  const std::array<TimeZone, 5> zones = {
      zone_of("CET-1CEST,M3.5.0,M10.5.0/3"), zone_of("EST5EDT,M3.2.0,M11.1.0"),
      zone_of("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"), zone_of("IST-5:30"),
      zone_of("<-03>3<-02>,M10.3.0/0,M2.3.0/0")};  // changes at midnight, as Brazil did
  std::mt19937_64 random(23);
  std::size_t compared = 0;
  for (int world = 0; world < 1'500; ++world) {
    CAPTURE(world);
    const TimeZone& zone = zones[random() % zones.size()];
    Model model(random);
    CAPTURE(model.text());
    const auto cron = parse_cron(model.text());
    if (!cron) {
      CHECK(cron.error == "cron: that date never comes");
      continue;
    }
    const auto some_day = static_cast<std::int64_t>(1'767'225'600 + random() % 400 * kDay);
    const std::int64_t change = std::min(zone.at(some_day).end, some_day + 500 * kDay);
    const std::int64_t from = change / kDay * kDay - kDay;
    const std::int64_t end = from + 3 * kDay;
    std::vector<std::int64_t> runs;
    for (Nanos at = from * kSecond - 1;;) {
      at = next_run(*cron.value, zone, at);
      if (at >= end * kSecond) break;
      runs.push_back(at / kSecond);
    }
    const std::vector<std::int64_t> expected = model.runs(zone, from, end);
    REQUIRE(runs == expected);
    compared += runs.size();
    const Nanos last = last_run(*cron.value, zone, from * kSecond - 1, end * kSecond - 1);
    CHECK(last == (expected.empty() ? kNever : expected.back() * kSecond));
  }
  CHECK(compared > 50'000);
}
