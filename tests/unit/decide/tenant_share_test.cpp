#include "decide/tenant_share.hpp"

#include <random>
#include <vector>

#include <doctest/doctest.h>

using namespace aiserve::decide;

namespace {

ShareView share(std::size_t used, std::size_t guarantee, double weight = 1, double rate = 0) {
  return {used, guarantee, weight, rate, used > guarantee ? used - guarantee : 0, 10};
}

}  // namespace

TEST_CASE("who has most above its guarantee gives") {
  const std::vector<ShareView> tenants{share(500, 400), share(300, 100), share(350, 200)};
  CHECK(choose_victim(tenants) == 1);
}

TEST_CASE("weight and ghost hits protect") {
  CHECK(choose_victim(std::vector{share(400, 0, 4), share(200, 0, 1)}) == 1);
  CHECK(choose_victim(std::vector{share(300, 0, 1, 1.0), share(200, 0, 1, 0)}) == 1);
  CHECK(pressure(share(300, 100, 2, 0.5)) == doctest::Approx(200 / 3.0));
}

TEST_CASE("nobody gives what it was guaranteed, whatever the pressure") {
  CHECK_FALSE(choose_victim(std::vector{share(100, 100), share(50, 200)}));
  CHECK_FALSE(choose_victim(std::vector{share(109, 100)}));
  CHECK(choose_victim(std::vector{share(110, 100)}) == 0);
  CHECK_FALSE(choose_victim({}));
}

TEST_CASE("a tenant without entries here gives nothing") {
  std::vector<ShareView> tenants{share(1000, 0), share(20, 0)};
  tenants[0].next = 0;
  CHECK(choose_victim(tenants) == 1);
}

TEST_CASE(
    "in random worlds the victim has spare bytes and nobody with any is under more pressure") {
  std::mt19937 engine(5);
  const auto random = [&] { return static_cast<std::uint32_t>(engine()); };
  for (int world = 0; world < 20'000; ++world) {
    std::vector<ShareView> tenants(1 + random() % 8);
    for (ShareView& tenant : tenants) {
      tenant =
          share(random() % 1000, random() % 1000, 0.1 + random() % 50 / 10.0, random() % 11 / 10.0);
    }
    const auto victim = choose_victim(tenants);
    for (const ShareView& tenant : tenants) {
      if (!may_lose(tenant)) continue;
      REQUIRE(victim);
      REQUIRE(pressure(tenants[*victim]) >= pressure(tenant));
    }
    if (victim) REQUIRE(tenants[*victim].used - 10 >= tenants[*victim].guarantee);
  }
}

TEST_CASE("the ghost rate follows what happens now") {
  GhostRate rate;
  CHECK(rate.rate() == 0);
  for (int i = 0; i < 5000; ++i) rate.inserted(true);
  CHECK(rate.rate() > 0.95);
  for (int i = 0; i < 5000; ++i) rate.inserted(i % 4 == 0);
  CHECK(rate.rate() == doctest::Approx(0.25).epsilon(0.15));
}

TEST_CASE("who needs room gives it himself if he is under nearly the highest pressure") {
  const ShareView most{.used = 1000, .guarantee = 0, .spare = 1000, .next = 10};
  ShareView own{.used = 975, .guarantee = 0, .spare = 975, .next = 10};
  CHECK(gives_itself(own, pressure(most)));
  own.used = 960;
  CHECK_FALSE(gives_itself(own, pressure(most)));
  own = {.used = 1000, .guarantee = 995, .spare = 5, .next = 10};
  CHECK_FALSE(gives_itself(own, 1));
  own = {.used = 10, .guarantee = 100, .spare = 50, .next = 10};
  CHECK_FALSE(gives_itself(own, -100));
}
