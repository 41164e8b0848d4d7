// StrayWatch: attempts that the store takes for running here and that nobody here knows of: those
// of a claim whose answer was lost. Pure; on the dispatcher's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "aiserve/jobs/job.hpp"

namespace aiserve::inline v0::detail {

class StrayWatch {
 public:
  using Attempt = std::tuple<TenantId, JobId, int>;

  void claim_begins() noexcept { claiming_ = true; }
  void claim_ended() noexcept;
  /// Its outcome cannot be recorded: it is its timeout's, not to be run again by heartbeats.
  void leave(Attempt attempt) { left_.insert(std::move(attempt)); }
  /// Another incarnation begins.
  void forget();
  /// Of what the store told and nobody here knows of: those that were told before, since when every
  /// claim that could bring them has ended. They are named again until the store has taken them.
  std::vector<Attempt> judge(const std::set<Attempt>& unknown, std::size_t most);

 private:
  bool claiming_ = false;
  std::uint64_t claims_ended_ = 0;
  std::map<Attempt, std::uint64_t> seen_;  // to the number of claims that must have ended
  std::set<Attempt> left_;
};

}  // namespace aiserve::inline v0::detail
