#include "decide/retry_budget.hpp"

#include <doctest/doctest.h>

namespace aiserve::decide {
namespace {

TEST_CASE("a budget begins with its burst, and is used up") {
  RetryBudget budget({.share = 0.1, .burst = 3});
  for (int i = 0; i < 3; ++i) CHECK(budget.take());
  CHECK_FALSE(budget.take());
}

TEST_CASE("ten calls pay for one retry at a share of a tenth") {
  RetryBudget budget({.share = 0.1, .burst = 1});
  CHECK(budget.take());
  for (int i = 0; i < 9; ++i) budget.called();
  CHECK_FALSE(budget.take());
  budget.called();
  CHECK(budget.take());
  CHECK_FALSE(budget.take());
}

TEST_CASE("a long calm buys no more than the burst") {
  RetryBudget budget({.share = 0.5, .burst = 2});
  for (int i = 0; i < 100'000; ++i) budget.called();
  CHECK(budget.balance() == doctest::Approx(2));
  CHECK(budget.take());
  CHECK(budget.take());
  CHECK_FALSE(budget.take());
}

TEST_CASE("without share and burst nothing is ever repeated") {
  RetryBudget budget({.share = 0, .burst = 0});
  for (int i = 0; i < 100; ++i) budget.called();
  CHECK_FALSE(budget.take());
}

TEST_CASE("over many calls that all fail, retries stay at the share") {
  RetryBudget budget({.share = 0.1, .burst = 10});
  int retries = 0;
  for (int i = 0; i < 10'000; ++i) {
    budget.called();
    retries += budget.take() ? 1 : 0;
  }
  CHECK(retries <= 1010);
  CHECK(retries >= 1000);
}

}  // namespace
}  // namespace aiserve::decide
