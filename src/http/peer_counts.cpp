#include "http/peer_counts.hpp"

namespace aiserve::inline v0::http::detail {

std::optional<PeerCounts::Pass> PeerCounts::enter(const IpAddress& peer) {
  if (limit_ == 0) return Pass();
  const IpAddress whole = peer.is_v4() ? peer : peer.masked(64);
  const std::scoped_lock lock(mutex_);
  std::size_t& count = counts_[whole];
  if (count >= limit_) return std::nullopt;
  ++count;
  return Pass(*this, whole);
}

void PeerCounts::leave(const IpAddress& peer) noexcept {
  const std::scoped_lock lock(mutex_);
  const auto found = counts_.find(peer);
  if (--found->second == 0) counts_.erase(found);
}

}  // namespace aiserve::inline v0::http::detail
