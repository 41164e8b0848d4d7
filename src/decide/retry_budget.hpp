// RetryBudget: how many retries are allowed beside the calls that were asked for, so that clients
// of something that is down don't multiply its load. Pure. (Finagle's RetryBudget: a share of the
// calls is put in, a retry takes one out; what lies there is bounded, so that a long calm buys no
// storm.)
#pragma once

#include <algorithm>

namespace aiserve::inline v0::decide {

struct RetryBudgetPolicy {
  double share = 0.1;  ///< retries per call, 0 to 1
  double burst = 10;   ///< retries at once after a calm, and at the start, >= 0
};

class RetryBudget {
 public:
  explicit RetryBudget(const RetryBudgetPolicy& policy) noexcept
      : policy_(policy), balance_(policy.burst) {}

  /// A call was asked for.
  void called() noexcept { balance_ = std::min(policy_.burst, balance_ + policy_.share); }
  /// May it be repeated? Takes from the budget if so.
  bool take() noexcept {
    // The tenth part of one is not representable: ten of them have to make a whole.
    constexpr double kRounding = 1e-9;
    if (balance_ + kRounding < 1) return false;
    balance_ = std::max(0.0, balance_ - 1);
    return true;
  }
  double balance() const noexcept { return balance_; }

 private:
  RetryBudgetPolicy policy_;
  double balance_;
};

}  // namespace aiserve::inline v0::decide
