/// HeavyHitters: which values are frequent, in bounded memory. A pure decision core, no clock.
///
/// The `top` named values are counted exactly. The rest competes in rows of eight entries: an
/// unknown value takes the row's least frequent entry and inherits its count as possible error
/// (Space-Saving, Metwally et al. 2005, per row as in set-associative caches). Only what is
/// certain, count minus error, lets a value replace a named one. *Thread safety:* named() and
/// count_named() any thread while nobody is in another function; the rest one thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace aiserve::inline v0::detail {

class HeavyHitters {
 public:
  using Slot = std::uint32_t;
  static constexpr Slot kNone = 0;  ///< named slots are 1 to top

  HeavyHitters(std::size_t top, std::uint64_t half_life);

  /// kNone if `value` has no name.
  Slot named(std::string_view value) const noexcept;
  void count_named(Slot slot) noexcept;

  struct Change {
    Slot slot = kNone;      ///< where the value counts now
    bool replaced = false;  ///< the slot stood for another value before
  };
  /// Counts a value without a name; it may get one. Throws bad_alloc.
  Change count_unnamed(std::string_view value);

  /// True if the half life is over: call age().
  bool due() const noexcept { return observed_.load(std::memory_order_relaxed) >= half_life_; }
  void age() noexcept;

  /// Per slot its value; [0] is empty.
  const std::vector<std::string>& values() const noexcept { return values_; }

 private:
  static constexpr std::size_t kWays = 8;

  struct Candidate {
    std::string value{};
    std::uint64_t count = 0;
    std::uint64_t error = 0;
    std::uint64_t certain() const noexcept { return count - error; }
  };
  using Row = std::array<Candidate, kWays>;

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>()(text);
    }
  };

  Row& row_of(std::string_view value) noexcept { return rows_[Hash()(value) & (rows_.size() - 1)]; }
  Candidate& candidate(std::string_view value);
  Slot name_free_slot(std::string_view value);
  Slot smallest_named() noexcept;
  void put_back(Slot slot);

  const std::size_t top_;
  const std::uint64_t half_life_;
  std::unordered_map<std::string, Slot, Hash, std::equal_to<>> index_;
  std::vector<std::string> values_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> traffic_;
  std::atomic<std::uint64_t> observed_{0};
  std::vector<Row> rows_;
  std::uint64_t floor_ = 0;  // no named value has less traffic
};

}  // namespace aiserve::inline v0::detail
