// TimeZone: which offset from UTC a place has when: a list of changes, then a yearly rule. Pure;
// tz_file.hpp makes it from the bytes of a file. Seconds since 1970 without leap seconds.
//
//   const TimeZone::Span span = zone.at(now);
//   const std::int64_t local = now + span.offset;
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "decide/posix_tz.hpp"

namespace aiserve::inline v0::decide {

class TimeZone {
 public:
  static constexpr std::int64_t kBeginning = INT64_MIN / 4;
  static constexpr std::int64_t kEnd = INT64_MAX / 4;

  struct Change {
    std::int64_t at = 0;
    std::int32_t offset = 0;  ///< from then on, seconds east of UTC
  };

  /// A stretch of time with one offset: [begin, end). Two that touch may have the same.
  struct Span {
    std::int64_t begin = kBeginning;
    std::int64_t end = kEnd;
    std::int32_t offset = 0;
  };

  /// The same offset for ever; UTC by default.
  explicit TimeZone(std::int32_t offset = 0) : first_offset_(offset) {}
  /// `changes` ascend and lie between kBeginning and kEnd; `rule` holds from the last of them on.
  TimeZone(std::int32_t first_offset, std::vector<Change> changes, std::optional<PosixTz> rule)
      : first_offset_(first_offset), changes_(std::move(changes)), rule_(rule) {}

  /// The span that `instant` lies in; instants beyond +-30,000 years are moved there.
  Span at(std::int64_t instant) const noexcept;

 private:
  Span by_rule(std::int64_t instant, std::int64_t from) const noexcept;

  std::int32_t first_offset_;
  std::vector<Change> changes_;
  std::optional<PosixTz> rule_;
};

}  // namespace aiserve::inline v0::decide
