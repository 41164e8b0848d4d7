/// Rfc3339: a wall time as "2024-05-01T10:00:00.123Z", without the heap.
#pragma once

#include <aiserve/core/deadline.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <string_view>

namespace aiserve::inline v0::detail {

class Rfc3339 {
 public:
  /// Years 0 to 9999; outside of them the year's digits are meaningless.
  explicit Rfc3339(WallTime time) noexcept {
    namespace ch = std::chrono;
    const auto day = ch::floor<ch::days>(time);
    const ch::year_month_day date(day);
    const ch::hh_mm_ss clock(ch::floor<ch::milliseconds>(time - day));
    put(0, 4, static_cast<unsigned>(static_cast<int>(date.year())));
    put(5, 2, static_cast<unsigned>(date.month()));
    put(8, 2, static_cast<unsigned>(date.day()));
    put(11, 2, static_cast<unsigned>(clock.hours().count()));
    put(14, 2, static_cast<unsigned>(clock.minutes().count()));
    put(17, 2, static_cast<unsigned>(clock.seconds().count()));
    put(20, 3, static_cast<unsigned>(clock.subseconds().count()));
  }

  std::string_view view() const noexcept { return {text_.data(), text_.size()}; }

 private:
  void put(std::size_t at, std::size_t digits, unsigned value) noexcept {
    for (std::size_t i = at + digits; i-- > at; value /= 10) {
      text_[i] = static_cast<char>('0' + value % 10);
    }
  }

  std::array<char, 24> text_{'0', '0', '0', '0', '-', '0', '0', '-', '0', '0', 'T', '0',
                             '0', ':', '0', '0', ':', '0', '0', '.', '0', '0', '0', 'Z'};
};

}  // namespace aiserve::inline v0::detail
