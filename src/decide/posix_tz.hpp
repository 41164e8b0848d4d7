// PosixTz: the rule for the far future at the end of a time zone file, as in the TZ variable of
// POSIX (POSIX.1-2017 section 8.3) with the extensions of RFC 8536 section 3.3.1: hours from -167
// to 167.
//
//   const auto berlin = parse_posix_tz("CET-1CEST,M3.5.0,M10.5.0/3");
//   berlin.value->summer->begin;  // the last Sunday of March, 02:00
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "decide/parsed.hpp"

namespace aiserve::inline v0::decide {

/// A moment of every year in local time.
struct YearlyRule {
  enum class Kind : std::uint8_t {
    julian,   ///< Jn: day 1 to 365, 29 February is never counted
    ordinal,  ///< n: day 0 to 365, 29 February is
    weekday,  ///< Mm.w.d
  };

  Kind kind = Kind::weekday;
  int day = 0;                  ///< julian, ordinal; weekday: 0 (Sunday) to 6
  int week = 1;                 ///< weekday: 1 to 5, 5 means the last
  int month = 1;                ///< weekday: 1 to 12
  std::int32_t seconds = 7200;  ///< after midnight, -167 h to 167 h

  /// Seconds of local time since 1970. `year` is -30000 to 30000.
  std::int64_t in(int year) const noexcept;
};

struct PosixTz {
  struct Summer {
    std::int32_t offset = 0;  ///< seconds east of UTC; may be less than in winter (Dublin)
    YearlyRule begin;         ///< in standard time
    YearlyRule end;           ///< in summer time
  };

  std::int32_t offset = 0;  ///< of standard time, seconds east of UTC
  std::optional<Summer> summer;
};

/// Summer time without dates is refused: what it means differs from system to system.
Parsed<PosixTz> parse_posix_tz(std::string_view text);

}  // namespace aiserve::inline v0::decide
