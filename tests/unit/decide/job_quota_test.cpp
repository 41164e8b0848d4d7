#include "decide/job_quota.hpp"

#include <array>
#include <vector>

#include <doctest/doctest.h>

using namespace aiserve::decide;

namespace {

using Counts = std::vector<std::size_t>;

/// Two tenants, two kinds, a row for each pair: (0, 0), (0, 1), (1, 0), (1, 1).
struct Market {
  std::array<TenantRoom, 2> tenants = {{{.name = "acme"}, {.name = "bolt"}}};
  std::array<KindRoom, 2> kinds = {{{.name = "render"}, {.name = "mail"}}};
  std::array<BacklogRow, 4> rows = {{{.tenant = 0, .kind = 0},
                                     {.tenant = 0, .kind = 1},
                                     {.tenant = 1, .kind = 0},
                                     {.tenant = 1, .kind = 1}}};
  JobShares shares;

  Counts divide(std::size_t free_slots, Nanos now = 1'000) {
    return aiserve::decide::divide(
        {.tenants = tenants, .kinds = kinds, .backlog = rows, .free_slots = free_slots, .now = now},
        shares);
  }
};

}  // namespace

TEST_CASE("two tenants with the same weight get the same number of slots") {
  Market market;
  market.rows[0].ready = 100;
  market.rows[2].ready = 100;
  CHECK(market.divide(10) == Counts{5, 0, 5, 0});
}

TEST_CASE("weights divide the slots") {
  Market market;
  market.tenants[0].weight = 3;
  market.rows[0].ready = 100;
  market.rows[2].ready = 100;
  CHECK(market.divide(8) == Counts{6, 0, 2, 0});
}

TEST_CASE("what one tenant can't use goes to the other") {
  Market market;
  market.rows[0].ready = 2;
  market.rows[2].ready = 100;
  CHECK(market.divide(10) == Counts{2, 0, 8, 0});
  CHECK(market.divide(1'000) == Counts{2, 0, 100, 0});
  CHECK(market.divide(0) == Counts{0, 0, 0, 0});
}

TEST_CASE("a kind that costs more is given fewer slots") {
  Market market;
  market.shares.settled("acme", "render", 0, 4);
  market.shares.settled("bolt", "mail", 0, 1);
  market.rows[0].ready = 100;
  market.rows[3].ready = 100;
  CHECK(market.divide(10) == Counts{2, 0, 0, 8});
}

TEST_CASE("limits of tenants, kinds, and kinds of a tenant hold, what runs already included") {
  Market market;
  for (BacklogRow& row : market.rows) row.ready = 100;
  market.tenants[0].limit.max_running = 4;
  market.rows[0].running = 1;
  market.kinds[1].limit.max_running = 5;
  market.rows[3].limit.max_running = 2;
  market.rows[3].running = 1;
  const Counts quotas = market.divide(1'000);
  CHECK(quotas[0] + quotas[1] == 3);
  CHECK(quotas[1] + quotas[3] <= 4);
  CHECK(quotas[3] == 1);
  CHECK(quotas[2] == 100);
}

TEST_CASE("rates bound what starts, whatever runs") {
  Market market;
  market.rows[0].ready = 100;
  market.rows[2].ready = 100;
  market.tenants[0].limit.may_start = 3;
  market.kinds[0].limit.may_start = 5;
  CHECK(market.divide(50) == Counts{3, 0, 2, 0});
}

TEST_CASE("a limit of nothing pauses; more running than a limit allows starts nothing") {
  Market market;
  for (BacklogRow& row : market.rows) row.ready = 10;
  market.kinds[0].limit.max_running = 0;
  CHECK(market.divide(4) == Counts{0, 2, 0, 2});
  market.kinds[1].limit.max_running = 3;
  market.rows[1].running = 7;
  CHECK(market.divide(4) == Counts{0, 0, 0, 0});
}

TEST_CASE("of a tenant the kind whose job is oldest goes first, then as if jobs came evenly") {
  Market market;
  market.rows[0] = {.tenant = 0, .kind = 0, .ready = 10, .turn = 0};
  market.rows[1] = {.tenant = 0, .kind = 1, .ready = 10, .turn = 500};
  CHECK(market.divide(1) == Counts{1, 0, 0, 0});
  CHECK(market.divide(5) == Counts{5, 0, 0, 0});
  CHECK(market.divide(8) == Counts{6, 2, 0, 0});
}

TEST_CASE("jobs ordered after now, by the handicap of their class, come last") {
  Market market;
  market.rows[0] = {.tenant = 0, .kind = 0, .ready = 10, .turn = 5'000};
  market.rows[1] = {.tenant = 0, .kind = 1, .ready = 3, .turn = 900};
  CHECK(market.divide(4) == Counts{1, 3, 0, 0});
}

TEST_CASE("a division charges nobody: asked again it says the same") {
  Market market;
  market.rows[0].ready = 100;
  market.rows[2].ready = 100;
  const Counts first = market.divide(7);
  CHECK(market.divide(7) == first);
}

TEST_CASE("who was charged for what started comes after those who were not") {
  Market market;
  market.rows[0].ready = 100;
  market.rows[2].ready = 100;
  market.divide(1);
  for (int i = 0; i < 4; ++i) market.shares.started("acme", "render");
  CHECK(market.divide(4) == Counts{0, 0, 4, 0});
}

TEST_CASE("without rows, tenants or kinds there is nothing to divide") {
  JobShares shares;
  CHECK(divide({.free_slots = 5}, shares).empty());
}
