// JobOrder: priorities that age, as a key that never changes. Pure.
//
// A job of a lower class is ordered as if it had come later, by the handicap of its class. So it is
// passed by better ones that come within that time after it, and by none that come later: nobody
// starves, and an index over the key needs no updates while jobs grow old.
#pragma once

#include <array>

#include "decide/nanos.hpp"
#include "decide/queue_item.hpp"

namespace aiserve::inline v0::decide {

/// Per class: interactive, normal, background; ascending, >= 0.
using Handicaps = std::array<Nanos, kPriorities>;

inline constexpr Handicaps kHandicaps = {0, 60'000'000'000, 600'000'000'000};

/// The least goes first. `run_at` is when the job may run at the earliest.
inline Nanos order_key(Nanos run_at, Priority priority,
                       const Handicaps& handicaps = kHandicaps) noexcept {
  return saturating_add(run_at, handicaps[static_cast<std::size_t>(priority)]);
}

}  // namespace aiserve::inline v0::decide
