// Random backlogs and limits, and worlds of jobs in virtual time.
#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include "decide/job_quota.hpp"
#include "unit/decide/job_world.hpp"

using namespace aiserve::decide;
using job_test::JobWorld;

namespace {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::size_t below(std::size_t bound) { return engine_() % bound; }
  double between(double least, double most) {
    return std::uniform_real_distribution<double>(least, most)(engine_);
  }
  RunLimit limit() {
    RunLimit limit;
    if (below(3) == 0) limit.max_running = below(12);
    if (below(3) == 0) limit.may_start = below(8);
    return limit;
  }

 private:
  std::mt19937_64 engine_;
};

struct Market {
  explicit Market(Random& random) {
    tenants.resize(1 + random.below(5));
    kinds.resize(1 + random.below(4));
    for (TenantRoom& tenant : tenants) tenant = {"t", random.between(0.1, 10), random.limit()};
    for (std::size_t i = 0; i < tenants.size(); ++i) tenants[i].name = kNames[i];
    for (std::size_t i = 0; i < kinds.size(); ++i) kinds[i] = {kNames[i], random.limit()};
    for (std::size_t tenant = 0; tenant < tenants.size(); ++tenant) {
      for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
        rows.push_back({tenant, kind, random.below(9), random.below(5),
                        static_cast<Nanos>(random.below(2'000)), random.limit()});
      }
    }
  }

  static std::size_t room(const RunLimit& limit, std::size_t running, std::size_t quota) {
    const std::size_t busy = running + quota;
    if (busy >= limit.max_running || quota >= limit.may_start) return 0;
    return std::min(limit.max_running - busy, limit.may_start - quota);
  }

  struct Use {
    std::size_t running = 0;
    std::size_t quota = 0;
  };

  template <class Which>
  Use use(const std::vector<std::size_t>& quotas, Which which) const {
    Use use;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!which(rows[i])) continue;
      use.running += rows[i].running;
      use.quota += quotas[i];
    }
    return use;
  }

  bool one_more(const std::vector<std::size_t>& quotas, std::size_t i) const {
    const BacklogRow& row = rows[i];
    const Use tenant = use(quotas, [&](const auto& other) { return other.tenant == row.tenant; });
    const Use kind = use(quotas, [&](const auto& other) { return other.kind == row.kind; });
    return quotas[i] < row.ready && room(row.limit, row.running, quotas[i]) > 0 &&
           room(tenants[row.tenant].limit, tenant.running, tenant.quota) > 0 &&
           room(kinds[row.kind].limit, kind.running, kind.quota) > 0;
  }

  static bool within(const RunLimit& limit, const Use& use) {
    return use.quota == 0 ||
           (use.quota <= limit.may_start && use.running + use.quota <= limit.max_running);
  }

  void check(const std::vector<std::size_t>& quotas, std::size_t free_slots) const {
    const Use all = use(quotas, [](const auto&) { return true; });
    CHECK(all.quota <= free_slots);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      CHECK(quotas[i] <= rows[i].ready);
      CHECK(within(rows[i].limit, {rows[i].running, quotas[i]}));
      if (all.quota < free_slots) CHECK_FALSE(one_more(quotas, i));
    }
    for (std::size_t i = 0; i < tenants.size(); ++i) {
      CHECK(
          within(tenants[i].limit, use(quotas, [i](const auto& row) { return row.tenant == i; })));
    }
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      CHECK(within(kinds[i].limit, use(quotas, [i](const auto& row) { return row.kind == i; })));
    }
  }

  static constexpr const char* kNames[] = {"a", "b", "c", "d", "e"};

  std::vector<TenantRoom> tenants;
  std::vector<KindRoom> kinds;
  std::vector<BacklogRow> rows;
};

}  // namespace

TEST_CASE(
    "over random backlogs no limit is exceeded and nothing stays free that something could use") {
  std::size_t full = 0;
  for (std::uint64_t seed = 1; seed <= 10'000; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    const Market market(random);
    JobShares shares;
    const std::size_t free_slots = random.below(40);
    const auto quotas = divide({.tenants = market.tenants,
                                .kinds = market.kinds,
                                .backlog = market.rows,
                                .free_slots = free_slots,
                                .now = 1'000},
                               shares);
    market.check(quotas, free_slots);
    std::size_t all = 0;
    for (const std::size_t quota : quotas) all += quota;
    full += all == free_slots ? 1 : 0;
  }
  CHECK(full > 1'000);
  CHECK(full < 9'000);
}

TEST_CASE("over random worlds tenants with work are served by weight, in what jobs really cost") {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    const std::size_t slots = 1 + random.below(6);
    std::vector<double> weights(2 + random.below(3));
    for (double& weight : weights) weight = random.between(0.5, 4);
    const std::size_t kinds = 1 + random.below(3);
    JobWorld world(slots, weights, kinds);
    std::vector<double> longest;
    for (std::size_t kind = 0; kind < kinds; ++kind) longest.push_back(random.between(0.5, 8));
    const auto refill = [&] {  // everybody always has more than all slots could take
      for (std::size_t tenant = 0; tenant < weights.size(); ++tenant) {
        while (world.queued(tenant) < slots + 2) {
          const std::size_t kind = random.below(kinds);
          world.submit(tenant, kind, random.between(0.1, 1) * longest[kind]);
        }
      }
    };
    for (int i = 0; i < 1'500; ++i) {
      refill();
      world.start();
      CHECK(world.running() == slots);
      world.advance();
    }
    // Charges are wrong by at most a job until it settles, for all that run at once.
    const double job = *std::max_element(longest.begin(), longest.end());
    for (std::size_t a = 0; a < weights.size(); ++a) {
      for (std::size_t b = 0; b < a; ++b) {
        const double lead = world.served[a] / weights[a] - world.served[b] / weights[b];
        const double bound =
            (static_cast<double>(slots) + 1) * job * (1 / weights[a] + 1 / weights[b]);
        CHECK(std::abs(lead) <= bound);
      }
    }
  }
}

TEST_CASE("beside a flood a tenant with little to do waits for one slot, not for the flood") {
  JobWorld world(4, {1, 1}, 1);
  for (int i = 0; i < 20'000; ++i) world.submit(0, 0, 0.9 + 0.01 * (i % 20));
  double worst = 0;
  int started = 0;
  const auto note = [&](const JobWorld::Started& job) {
    if (job.tenant != 1) return;
    ++started;
    worst = std::max(worst, job.waited);
  };
  double next = 100;
  while (started < 300) {
    if (world.now() >= next) {
      world.submit(1, 0, 1);
      next += 5;
    }
    world.start(note);
    world.advance(next);
  }
  CHECK(worst <= 1.1);
  CHECK(world.queued(0) > 10'000);
}

TEST_CASE("a tenant that was idle, or held by its own limit, saves nothing up") {
  for (const bool idle : {true, false}) {
    JobWorld world(2, {1, 1}, 1);
    for (int i = 0; i < 4'000; ++i) world.submit(0, 0, 1);
    if (!idle) {
      for (int i = 0; i < 2'000; ++i) world.submit(1, 0, 1);
      world.tenants[1].limit.max_running = 0;
    }
    for (int i = 0; i < 1'000; ++i) {
      world.start();
      world.advance();
    }
    if (idle) {
      for (int i = 0; i < 2'000; ++i) world.submit(1, 0, 1);
    }
    world.tenants[1].limit.max_running = kUnlimited;
    const double before = world.served[0];
    for (int i = 0; i < 200; ++i) {
      world.start();
      world.advance();
    }
    CHECK(world.served[1] <= 102);
    CHECK(world.served[0] - before >= 98);
  }
}

TEST_CASE("per-tenant limits hold over random worlds and everything runs in the end") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    JobWorld world(1 + random.below(6), {1, 2, 3}, 2);
    for (TenantRoom& tenant : world.tenants) tenant.limit.max_running = 1 + random.below(3);
    for (KindRoom& kind : world.kinds) kind.limit.max_running = 1 + random.below(4);
    double work = 0;
    for (int i = 0; i < 200; ++i) {
      const double cost = random.between(0.1, 3);
      world.submit(random.below(3), random.below(2), cost);
      work += cost;
    }
    do {
      world.start();
      for (std::size_t tenant = 0; tenant < 3; ++tenant) {
        CHECK(world.running(tenant) <= world.tenants[tenant].limit.max_running);
      }
      world.advance();
    } while (!world.idle() || world.queued(0) + world.queued(1) + world.queued(2) > 0);
    CHECK(world.served[0] + world.served[1] + world.served[2] == doctest::Approx(work));
  }
}
