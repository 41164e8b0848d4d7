// EntryLabels: by what a result can be invalidated, as memory and as the tiers below name it.
#pragma once

#include <vector>

#include "cache/entry.hpp"
#include "cache/tier_record.hpp"

namespace aiserve::inline v0::detail {

struct EntryLabels {
  std::vector<CacheLabel> memory;
  std::vector<TierLabel> tiers;
};

}  // namespace aiserve::inline v0::detail
