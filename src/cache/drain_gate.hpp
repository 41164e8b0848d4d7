// DrainGate: what a drain of the runtime waits for, and after it for what came too late for that.
//
// The runtime closes the gates of components one after the other, and others may still invalidate
// when ours is closed. What that begins enters at a second gate, which is closed, and waited for
// shortly, when nobody else is left.
// *Thread safety:* any thread.
#pragma once

#include <utility>

#include "aiserve/core/gate.hpp"

namespace aiserve::inline v0::detail {

class DrainGate {
 public:
  /// The one that the runtime closes.
  Gate& gate() noexcept { return gate_; }
  bool draining() const noexcept { return gate_.closed(); }

  /// Empty once both are closed.
  Gate::Pass enter() noexcept {
    Gate::Pass pass = gate_.enter();
    return pass ? std::move(pass) : late_.enter();
  }
  /// Empty once the drain has begun.
  Gate::Pass enter_early() noexcept { return gate_.enter(); }

  void close_late() noexcept { late_.close(); }
  bool late_are_gone() const noexcept { return late_.inside() == 0; }

 private:
  Gate gate_;
  Gate late_;
};

}  // namespace aiserve::inline v0::detail
