// LeaseWatch: when a worker renews its lease, and from when on it must take it for lost. Pure.
//
// A lease is counted from the moment a heartbeat was sent, by the store from when it came: so the
// worker gives up before the store does, however long messages take, as long as both clocks run at
// the same rate within 5 %. (Gray and Cheriton, "Leases", SOSP 1989.) A third of the lease passes
// between heartbeats; one that stays without answer is sent again after a twelfth.
//
//   LeaseWatch lease(30'000'000'000, registered_at);
//   if (now >= lease.next_beat()) { lease.sent(now); send(); }
//   if (lease.lost(now)) cancel_all();  // and register as a new incarnation
#pragma once

#include "decide/nanos.hpp"

namespace aiserve::inline v0::decide {

class LeaseWatch {
 public:
  /// `lease` > 0. `sent_at` is when the request was sent that the store answered with the lease.
  LeaseWatch(Nanos lease, Nanos sent_at) noexcept : lease_(lease) { extend(sent_at); }

  Nanos next_beat() const noexcept { return next_beat_; }
  void sent(Nanos now) noexcept { next_beat_ = saturating_add(now, lease_ / 12); }
  /// The store renewed the lease for the heartbeat of `sent_at`. False: too late, it is lost.
  bool renewed(Nanos sent_at, Nanos now) noexcept {
    if (lost(now)) return false;
    if (sent_at > renewed_) extend(sent_at);
    return true;
  }

  Nanos lost_at() const noexcept { return lost_at_; }
  bool lost(Nanos now) const noexcept { return now >= lost_at_; }

 private:
  void extend(Nanos sent_at) noexcept {
    renewed_ = sent_at;
    next_beat_ = saturating_add(sent_at, lease_ / 3);
    lost_at_ = saturating_add(sent_at, lease_ - lease_ / 20);
  }

  Nanos lease_;
  Nanos renewed_ = 0;
  Nanos next_beat_ = 0;
  Nanos lost_at_ = 0;
};

}  // namespace aiserve::inline v0::decide
