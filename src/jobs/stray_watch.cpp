#include "jobs/stray_watch.hpp"

#include <utility>

namespace aiserve::inline v0::detail {

void StrayWatch::claim_ended() noexcept {
  claiming_ = false;
  ++claims_ended_;
}

void StrayWatch::forget() {
  seen_.clear();
  left_.clear();
}

std::vector<StrayWatch::Attempt> StrayWatch::judge(const std::set<Attempt>& unknown,
                                                   std::size_t most) {
  std::erase_if(left_, [&](const Attempt& one) { return !unknown.contains(one); });
  // The answer of a claim that is on its way may still bring them.
  const std::uint64_t must_end = claims_ended_ + (claiming_ ? 1 : 0);
  std::vector<Attempt> strays;
  std::map<Attempt, std::uint64_t> seen;
  for (const Attempt& one : unknown) {
    if (left_.contains(one)) continue;
    const auto before = seen_.find(one);
    const bool again = before != seen_.end();
    const std::uint64_t end = again ? before->second : must_end;
    seen.emplace(one, end);
    if (again && claims_ended_ >= end && strays.size() < most) strays.push_back(one);
  }
  seen_ = std::move(seen);
  return strays;
}

}  // namespace aiserve::inline v0::detail
