// TierRecord: what a tier keeps for a result: the value with all that decides whether it may still
// be served, under a checksum that is bound to tenant and key. A tier that returns garbage, or
// another key's record, is found out.
#pragma once

#include <optional>
#include <vector>

#include "aiserve/cache/cache_tier.hpp"
#include "decide/freshness.hpp"
#include "decide/invalidation_log.hpp"

namespace aiserve::inline v0::detail {

using TierLabel = decide::InvalidationLog::Label;
using TierStamp = decide::InvalidationLog::Stamp;

struct TierRecord {
  Bytes value;
  decide::Expiry expiry{};  ///< in nanoseconds of wall time
  std::int64_t cost = 0;    ///< in nanoseconds
  TierStamp born = 0;
  std::vector<TierLabel> labels{};
};

Bytes encode_record(const TierKey& key, const TierRecord& record);
/// Nothing if the bytes are not what encode_record() gave for this very key.
std::optional<TierRecord> decode_record(const TierKey& key, const Bytes& bytes);

/// What was declared dead, for later processes.
struct TierKills {
  TierStamp floor = 0;
  std::vector<decide::InvalidationLog::Kill> kills{};
};

/// Where they are kept; no tenant of a directory has such an id.
const TierKey& kills_key();
Bytes encode_kills(const TierKills& kills);
std::optional<TierKills> decode_kills(const Bytes& bytes);

}  // namespace aiserve::inline v0::detail
