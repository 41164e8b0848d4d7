#include <algorithm>
#include <map>

#include <fmt/core.h>

#include "tuner/commands.hpp"
#include "tuner/fair_share.hpp"
#include "tuner/html_report.hpp"
#include "tuner/load_keys.hpp"
#include "tuner/measuring.hpp"
#include "tuner/progress.hpp"
#include "tuner/run_file.hpp"
#include "tuner/statistics.hpp"

namespace tuner {
namespace {

std::vector<Load> loads_of(const Arguments& arguments) {
  std::vector<Load> loads;
  for (const int in_flight : arguments.closed) loads.push_back({in_flight, 0});
  for (const double rate : arguments.rates) loads.push_back({0, rate});
  double mixed = 0;
  for (const TenantLoad& tenant : arguments.tenants) mixed += tenant.per_second;
  if (mixed > 0) loads.push_back({0, mixed});
  if (loads.empty()) {  // a replay at its own rate
    const auto recorded = parse_arrival_file(read_text(arguments.arrivals_file));
    loads.push_back({0, recorded_rate(recorded)});
  }
  return loads;
}

struct Measured {
  RunFile run;
  std::vector<SweepPoint> points;  // per load
  LoadResult last;                 // of the last load
};

Measured measure_all(const Arguments& arguments, const std::vector<Load>& loads) {
  const Setting setting = arguments.settings().front();
  const auto target = make_target(arguments, setting);
  const auto rounds = static_cast<double>(arguments.repeats) * static_cast<double>(loads.size());
  Progress progress(rounds * seconds_of(arguments), arguments.quiet);
  Measured all;
  std::vector<std::vector<SweepPoint>> points(loads.size());
  for (int repeat = 0; repeat < arguments.repeats; ++repeat) {
    for (std::size_t i = 0; i < loads.size(); ++i) {
      progress.step(loads[i].name(), seconds_of(arguments));
      all.last = measure(*target, arguments, loads[i], repeat);
      add_load_keys(all.run, loads[i].name(), all.last, arguments.tenants);
      points[i].push_back(point_of(setting, loads[i].per_second, all.last));
    }
  }
  for (const auto& repeats : points) all.points.push_back(median_point(repeats));
  return all;
}

void print(const RunFile& run) {
  fmt::print("{:<44} {:>12} {:>12} {:>12}\n", "key", "median", "least", "most");
  for (const auto& [key, values] : run.values) {
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    fmt::print("{:<44} {:>12.5g} {:>12.5g} {:>12.5g}\n", key, median(values), *least, *most);
  }
}

std::vector<TenantRow> tenant_rows(const Arguments& arguments, const LoadResult& load) {
  const std::vector<double> fair = fair_shares(arguments.tenants, load.per_second());
  std::vector<double> served;
  for (const TenantResult& tenant : load.tenants) served.push_back(static_cast<double>(tenant.ok));
  const std::vector<double> shares = shares_of(served);
  std::vector<TenantRow> rows;
  for (std::size_t i = 0; i < arguments.tenants.size(); ++i) {
    const TenantResult& got = load.tenants[i];
    TenantRow row{.load = arguments.tenants[i]};
    row.per_second = served[i] / load.seconds;
    row.share = shares[i];
    row.fair = fair[i];
    row.p50_ns = static_cast<double>(got.latency.percentile(0.5));
    row.p99_ns = static_cast<double>(got.latency.percentile(0.99));
    row.refused_share = static_cast<double>(got.refused + got.expired) /
                        static_cast<double>(std::max<std::uint64_t>(got.answered(), 1));
    rows.push_back(row);
  }
  return rows;
}

Report report_of(const Arguments& arguments, const Measured& all, const Load& last) {
  const SweepPoint& point = all.points.back();
  Report report;
  report.title = "Under load: " + all.run.about.at("subject");
  report.about = all.run.about;
  report.goal_ns = static_cast<double>(arguments.goal);
  report.curve = all.points;
  report.tiles = {{"answered", fmt::format("{:.0f}/s", point.per_second), last.name()},
                  {"p50", duration_text(point.p50_ns), "half of all requests"},
                  {"p99", duration_text(point.p99_ns), "all but 1 in 100"},
                  {"refused", fmt::format("{:.1f} %", point.refused_share * 100), ""}};
  if (point.mean_batch > 0) {
    report.tiles.push_back({"mean batch", fmt::format("{:.1f}", point.mean_batch), "rows"});
  }
  report.timeline = all.last.timeline;
  report.timeline_caption =
      "Last repeat of " + last.name() + ". The darker, the more of the batches had that size.";
  report.tenants = tenant_rows(arguments, all.last);
  return report;
}

}  // namespace

int run_command(const Arguments& arguments, const std::string& command_line) {
  const std::vector<Load> loads = loads_of(arguments);
  Measured all = measure_all(arguments, loads);
  all.run.about = about(arguments, command_line);
  print(all.run);
  if (!arguments.json.empty()) write_text(arguments.json, to_json(all.run));
  if (!arguments.html.empty()) {
    write_text(arguments.html, html_report(report_of(arguments, all, loads.back())));
  }
  return 0;
}

}  // namespace tuner
