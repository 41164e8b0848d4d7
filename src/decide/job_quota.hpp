// JobQuota: how many jobs of which tenant and kind are claimed for the free slots. Pure: SQL obeys.
//
// Slot by slot: the tenant that is least far (job_shares.hpp) and has a job that may start, of that
// tenant the kind whose next job is first in order (job_order.hpp; between the oldest one and now
// the jobs of a kind are taken to be spread evenly). Nothing stays free while something may start,
// and no limit is exceeded. A queue is paused by a limit of 0.
//
//   const auto quotas = divide({.tenants = tenants, .kinds = kinds, .backlog = rows,
//                               .free_slots = 8, .now = now}, shares);
//   for (i) claim(rows[i], quotas[i]);  // and shares.started() for every job that came
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "decide/job_shares.hpp"
#include "decide/nanos.hpp"

namespace aiserve::inline v0::decide {

inline constexpr std::size_t kUnlimited = SIZE_MAX;

struct RunLimit {
  std::size_t max_running = kUnlimited;
  std::size_t may_start = kUnlimited;  ///< now, by its rate (start_rate.hpp)
};

struct TenantRoom {
  std::string_view name;
  double weight = 1;  ///< > 0 and finite
  RunLimit limit{};
};

struct KindRoom {
  std::string_view name;
  RunLimit limit{};  ///< over all tenants
};

struct BacklogRow {
  std::size_t tenant = 0;  ///< index of a TenantRoom
  std::size_t kind = 0;    ///< index of a KindRoom; a tenant has one row per kind
  std::size_t ready = 0;   ///< may start now
  std::size_t running = 0;
  Nanos turn = 0;    ///< place in line of the first that is ready (Backlog::turn)
  RunLimit limit{};  ///< of this tenant and kind
};

struct QuotaQuestion {
  std::span<const TenantRoom> tenants{};
  std::span<const KindRoom> kinds{};
  std::span<const BacklogRow> backlog{};
  std::size_t free_slots = 0;
  Nanos now = 0;
};

/// One number per row of the backlog. Notes in `shares` who could run something, charges nothing.
std::vector<std::size_t> divide(const QuotaQuestion& question, JobShares& shares);

}  // namespace aiserve::inline v0::decide
