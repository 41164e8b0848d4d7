#include "tuner/fair_share.hpp"

#include <doctest/doctest.h>

using namespace tuner;

namespace {

std::vector<double> shares(std::vector<TenantLoad> tenants, double capacity) {
  return fair_shares(tenants, capacity);
}

}  // namespace

TEST_CASE("who asks for little gets all of it, the rest goes to the flood") {
  const auto rates =
      fair_rates(std::vector<TenantLoad>{{"flood", 1, 3000}, {"quiet", 1, 100}}, 1000);
  CHECK(rates[1] == doctest::Approx(100));
  CHECK(rates[0] == doctest::Approx(900));
}

TEST_CASE("what is scarce is divided by weight") {
  const auto seen = shares({{"a", 1, 5000}, {"b", 3, 5000}}, 1000);
  CHECK(seen[0] == doctest::Approx(0.25));
  CHECK(seen[1] == doctest::Approx(0.75));
}

TEST_CASE("what a satisfied tenant leaves is divided by the others' weights") {
  const auto rates =
      fair_rates(std::vector<TenantLoad>{{"a", 2, 100}, {"b", 1, 5000}, {"c", 3, 5000}}, 900);
  CHECK(rates[0] == doctest::Approx(100));
  CHECK(rates[1] == doctest::Approx(200));
  CHECK(rates[2] == doctest::Approx(600));
}

TEST_CASE("with room for all everybody gets what it asks for") {
  const auto rates = fair_rates(std::vector<TenantLoad>{{"a", 1, 10}, {"b", 9, 20}}, 1000);
  CHECK(rates == std::vector<double>{10, 20});
}

TEST_CASE("shares add up to one, and nothing has no shares") {
  CHECK(shares_of({1, 3}) == std::vector<double>{0.25, 0.75});
  CHECK(shares_of({0, 0}) == std::vector<double>{0, 0});
  CHECK(fair_shares({}, 10).empty());
}
