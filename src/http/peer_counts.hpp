// PeerCounts: how many connections each peer holds. An IPv6 peer is its /64: that is what one
// customer gets, and he may use all of it.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "http/ip_address.hpp"

namespace aiserve::inline v0::http::detail {

// *Thread safety:* any thread.
class PeerCounts {
 public:
  // One connection that counts; gives its place back.
  class Pass {
   public:
    Pass() noexcept = default;
    Pass(Pass&& other) noexcept
        : counts_(std::exchange(other.counts_, nullptr)), peer_(other.peer_) {}
    Pass& operator=(Pass&& other) noexcept {
      std::swap(counts_, other.counts_);
      std::swap(peer_, other.peer_);
      return *this;
    }
    ~Pass() {
      if (counts_ != nullptr) counts_->leave(peer_);
    }

   private:
    friend class PeerCounts;
    Pass(PeerCounts& counts, const IpAddress& peer) noexcept : counts_(&counts), peer_(peer) {}

    PeerCounts* counts_ = nullptr;
    IpAddress peer_;
  };

  // 0: no limit, and nothing is counted.
  explicit PeerCounts(std::size_t limit) noexcept : limit_(limit) {}

  // Nothing if the peer has as many as it may.
  std::optional<Pass> enter(const IpAddress& peer);

 private:
  void leave(const IpAddress& peer) noexcept;

  const std::size_t limit_;
  std::mutex mutex_;
  std::map<IpAddress, std::size_t> counts_;
};

}  // namespace aiserve::inline v0::http::detail
