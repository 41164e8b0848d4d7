#include "decide/tz_file.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace aiserve::inline v0::decide {
namespace {

constexpr std::size_t kHeader = 44;
constexpr std::size_t kTypeSize = 6;
constexpr std::int64_t kEarliest = -(std::int64_t{1} << 59);  // RFC 8536: nothing before it

std::uint8_t byte_at(std::string_view bytes, std::size_t index) noexcept {
  return static_cast<std::uint8_t>(bytes[index]);
}

std::uint32_t word_at(std::string_view bytes, std::size_t index) noexcept {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < 4; ++i) word = word << 8 | byte_at(bytes, index + i);
  return word;
}

std::int64_t time_at(std::string_view bytes, std::size_t index, std::size_t size) noexcept {
  const auto high = static_cast<std::int32_t>(word_at(bytes, index));
  if (size == 4) return high;
  return static_cast<std::int64_t>(high) * (std::int64_t{1} << 32) + word_at(bytes, index + 4);
}

/// What a header says about the block that follows it.
struct Counts {
  std::size_t ut_marks = 0;
  std::size_t standard_marks = 0;
  std::size_t leaps = 0;
  std::size_t times = 0;
  std::size_t types = 0;
  std::size_t letters = 0;

  /// At most 2^32 * 32: no overflow.
  std::size_t block_size(std::size_t time_size) const noexcept {
    return times * (time_size + 1) + types * kTypeSize + letters + leaps * (time_size + 4) +
           standard_marks + ut_marks;
  }
  bool sound() const noexcept {
    return types > 0 && letters > 0 && leaps == 0 && (ut_marks == 0 || ut_marks == types) &&
           (standard_marks == 0 || standard_marks == types);
  }
};

bool is_header(std::string_view bytes) noexcept {
  if (bytes.size() < kHeader || bytes.substr(0, 4) != "TZif") return false;
  const char version = bytes[4];
  return version == '\0' || (version >= '2' && version <= '4');
}

Counts counts_of(std::string_view header) noexcept {
  return {.ut_marks = word_at(header, 20),
          .standard_marks = word_at(header, 24),
          .leaps = word_at(header, 28),
          .times = word_at(header, 32),
          .types = word_at(header, 36),
          .letters = word_at(header, 40)};
}

/// The parts of a data block, one after the other.
struct Block {
  Block(std::string_view bytes, const Counts& n, std::size_t size)
      : counts(n),
        time_size(size),
        times(bytes.substr(0, n.times * size)),
        indices(bytes.substr(times.size(), n.times)),
        types(bytes.substr(times.size() + n.times, n.types * kTypeSize)),
        letters(bytes.substr(times.size() + n.times + types.size(), n.letters)),
        marks(bytes.substr(times.size() + n.times + types.size() + n.letters,
                           n.standard_marks + n.ut_marks)) {}

  std::int64_t time(std::size_t i) const noexcept {
    return time_at(times, i * time_size, time_size);
  }
  std::int32_t offset(std::size_t type) const noexcept {
    return static_cast<std::int32_t>(word_at(types, type * kTypeSize));
  }
  std::int32_t offset_after(std::size_t i) const noexcept { return offset(byte_at(indices, i)); }

  Counts counts;
  std::size_t time_size;
  std::string_view times;
  std::string_view indices;
  std::string_view types;
  std::string_view letters;
  std::string_view marks;
};

bool types_are_sound(const Block& block) noexcept {
  for (std::size_t type = 0; type < block.counts.types; ++type) {
    const std::int32_t offset = block.offset(type);
    if (offset <= -25 * 3600 || offset >= 26 * 3600) return false;  // RFC 8536 section 3.2
    if (byte_at(block.types, type * kTypeSize + 4) > 1) return false;
    const std::size_t name = byte_at(block.types, type * kTypeSize + 5);
    if (block.letters.find('\0', name) == std::string_view::npos) return false;
  }
  return std::all_of(block.marks.begin(), block.marks.end(),
                     [](char mark) { return mark == 0 || mark == 1; });
}

bool times_are_sound(const Block& block) noexcept {
  for (std::size_t i = 0; i < block.counts.times; ++i) {
    const std::int64_t time = block.time(i);
    if (time < kEarliest || time > -kEarliest) return false;
    if (i > 0 && time <= block.time(i - 1)) return false;
    if (byte_at(block.indices, i) >= block.counts.types) return false;
  }
  return true;
}

TimeZone zone_of(const Block& block, std::optional<PosixTz> rule) {
  std::vector<TimeZone::Change> changes;
  changes.reserve(block.counts.times);
  for (std::size_t i = 0; i < block.counts.times; ++i) {
    changes.push_back({block.time(i), block.offset_after(i)});
  }
  return TimeZone(block.offset(0), std::move(changes), rule);
}

Parsed<TimeZone> fail(const char* why) {
  return Parsed<TimeZone>::failed(std::string("not a usable time zone file: ") + why);
}

/// A block and what follows it: the rule between two line ends, or nothing in version 1.
Parsed<TimeZone> parse_block(std::string_view bytes, const Counts& counts, std::size_t time_size) {
  if (!counts.sound()) return fail("counts don't fit together, or leap seconds");
  const std::size_t size = counts.block_size(time_size);
  if (bytes.size() < size) return fail("cut off");
  const Block block(bytes, counts, time_size);
  if (!types_are_sound(block)) return fail("a local time type is out of range");
  if (!times_are_sound(block)) return fail("changes are out of order or range");
  const std::string_view rest = bytes.substr(size);
  if (time_size == 4) return rest.empty() ? Parsed(zone_of(block, {})) : fail("too long");
  if (rest.size() < 2 || rest.front() != '\n' || rest.find('\n', 1) != rest.size() - 1) {
    return fail("no rule at the end");
  }
  const std::string_view text = rest.substr(1, rest.size() - 2);
  if (text.empty()) return zone_of(block, {});
  const Parsed<PosixTz> rule = parse_posix_tz(text);
  return rule ? Parsed(zone_of(block, rule.value)) : Parsed<TimeZone>::failed(rule.error);
}

}  // namespace

Parsed<TimeZone> parse_tz_file(std::string_view bytes) {
  if (!is_header(bytes)) return fail("no TZif header");
  const Counts old = counts_of(bytes);
  const bool first_version = bytes[4] == '\0';
  const std::string_view rest = bytes.substr(kHeader);
  if (first_version) return parse_block(rest, old, 4);
  // Since version 2 the block of 32-bit times is there for old readers only.
  const std::size_t skipped = old.block_size(4);
  if (rest.size() < skipped) return fail("cut off");
  const std::string_view second = rest.substr(skipped);
  if (!is_header(second) || second[4] != bytes[4]) return fail("no second header");
  return parse_block(second.substr(kHeader), counts_of(second), 8);
}

}  // namespace aiserve::inline v0::decide
