// The report of a run or a sweep: one HTML file with its plots inside, that opens without a
// network.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tuner/knee.hpp"
#include "tuner/parse.hpp"
#include "tuner/timeline.hpp"

namespace tuner {

struct Tile {
  std::string label;
  std::string value;
  std::string hint{};
};

/// A tenant of the mix and what it got.
struct TenantRow {
  TenantLoad load;
  double per_second = 0;
  double share = 0;
  double fair = 0;
  double p50_ns = 0;
  double p99_ns = 0;
  double refused_share = 0;
};

struct Report {
  std::string title;
  std::map<std::string, std::string> about{};
  std::vector<std::string> advice{};  // the first stands out
  std::vector<Tile> tiles{};
  double goal_ns = 0;
  std::vector<SweepPoint> saturated{};
  std::vector<SweepPoint> loaded{};
  std::vector<SweepPoint> highlighted{};  // the recommended one
  std::vector<SweepPoint> curve{};        // one setting, rising load
  Timeline timeline{};
  std::string timeline_caption{};
  std::vector<TenantRow> tenants{};
};

std::string html_report(const Report& report);

}  // namespace tuner
