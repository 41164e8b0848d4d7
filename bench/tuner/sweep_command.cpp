#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "tuner/advice.hpp"
#include "tuner/commands.hpp"
#include "tuner/html_report.hpp"
#include "tuner/load_keys.hpp"
#include "tuner/measuring.hpp"
#include "tuner/progress.hpp"
#include "tuner/run_file.hpp"

namespace tuner {
namespace {

constexpr std::array<double, 6> kLoads{0.1, 0.3, 0.5, 0.7, 0.85, 0.95};  // of saturation
constexpr std::size_t kCandidates = 3;
constexpr int kBisections = 3;

class Sweep {
 public:
  explicit Sweep(const Arguments& arguments)
      : arguments_(arguments),
        settings_(arguments.settings()),
        progress_(expected_seconds(), arguments.quiet) {
    findings_.goal_ns = static_cast<double>(arguments.goal);
  }

  void run() {
    saturate();
    findings_.knee = find_knee(findings_.saturated);
    for (const Setting& setting : candidates(findings_.saturated, kCandidates)) load(setting);
    if (arguments_.goal > 0) {
      findings_.recommended = best_within(findings_.loaded, findings_.goal_ns);
      if (findings_.recommended) bisect();
    }
    look_closely();
  }

  const Findings& findings() const noexcept { return findings_; }
  const RunFile& keys() const noexcept { return keys_; }
  const std::vector<std::string>& left_out() const noexcept { return left_out_; }
  /// Of the recommended setting, or the knee.
  std::vector<SweepPoint> curve() const {
    std::vector<SweepPoint> points;
    for (const SweepPoint& point : findings_.loaded) {
      if (point.setting == chosen()) points.push_back(point);
    }
    std::sort(points.begin(), points.end(), [](const SweepPoint& a, const SweepPoint& b) {
      return a.offered_per_second < b.offered_per_second;
    });
    return points;
  }
  const Timeline& timeline() const noexcept { return timeline_; }
  Setting chosen() const {
    return findings_.recommended ? findings_.recommended->setting : findings_.knee->setting;
  }
  double shown_rate() const noexcept { return shown_rate_; }

 private:
  double expected_seconds() const {
    const double each = seconds_of(arguments_) + 0.1;
    const double saturating =
        static_cast<double>(settings_.size()) * static_cast<double>(arguments_.repeats);
    const double loading = static_cast<double>(kCandidates + 1) * kLoads.size();
    return each * (saturating + loading);
  }

  static Load saturating(const Setting& setting) {
    const auto rows = static_cast<int>(setting.max_batch) * setting.instances;
    return {std::max(2 * rows, 4 * setting.instances), 0};
  }

  std::string prefix(const Setting& setting) const {
    const std::string wait =
        setting.wait == 0 ? "" : fmt::format(".wait{}us", setting.wait / 1'000);
    return fmt::format("batch{}.instances{}.threads{}{}", setting.max_batch, setting.instances,
                       setting.threads, wait);
  }

  void saturate() {
    std::vector<std::vector<SweepPoint>> repeats(settings_.size());
    for (int repeat = 0; repeat < arguments_.repeats; ++repeat) {
      for (std::size_t i = 0; i < settings_.size(); ++i) {
        progress_.step(to_string(settings_[i]), seconds_of(arguments_));
        const auto target = make_target(arguments_, settings_[i]);
        const LoadResult result = measure(*target, arguments_, saturating(settings_[i]), repeat);
        add_load_keys(keys_, prefix(settings_[i]) + ".saturated", result, {});
        repeats[i].push_back(point_of(settings_[i], 0, result));
      }
    }
    for (const auto& points : repeats) findings_.saturated.push_back(median_point(points));
  }

  double saturation_of(const Setting& setting) const {
    for (const SweepPoint& point : findings_.saturated) {
      if (point.setting == setting) return point.per_second;
    }
    return 0;
  }

  void load(const Setting& setting) {
    const auto target = make_target(arguments_, setting);
    for (const double share : kLoads) load_once(*target, setting, share * saturation_of(setting));
  }

  // A load that could not be offered is no result of this setting; it is told and left out.
  bool load_once(Target& target, const Setting& setting, double rate) {
    progress_.step(fmt::format("{} at {:.0f}/s", to_string(setting), rate), seconds_of(arguments_));
    try {
      const LoadResult result = measure(target, arguments_, {0, rate}, 0);
      add_load_keys(keys_, fmt::format("{}.open{:.0f}", prefix(setting), rate), result, {});
      findings_.loaded.push_back(point_of(setting, rate, result));
      return true;
    } catch (const MeasureError& error) {
      left_out_.push_back(to_string(setting) + ", " + error.what());
      return false;
    }
  }

  // Between the best load that kept the goal and the next one of that setting that did not.
  void bisect() {
    const Setting setting = findings_.recommended->setting;
    double good = findings_.recommended->offered_per_second;
    double bad = 0;
    for (const SweepPoint& point : findings_.loaded) {
      if (point.setting != setting || point.offered_per_second <= good) continue;
      if (bad == 0 || point.offered_per_second < bad) bad = point.offered_per_second;
    }
    const auto target = make_target(arguments_, setting);
    progress_.expect_more(kBisections * seconds_of(arguments_));
    for (int i = 0; bad > 0 && i < kBisections; ++i) {
      const double rate = (good + bad) / 2;
      const bool measured = load_once(*target, setting, rate);
      const bool kept = measured && best_within({findings_.loaded.back()}, findings_.goal_ns);
      (kept ? good : bad) = rate;
    }
    findings_.recommended = best_within(findings_.loaded, findings_.goal_ns);
  }

  // Once more, for the plot of batch sizes over time.
  void look_closely() {
    shown_rate_ = findings_.recommended ? findings_.recommended->offered_per_second
                                        : 0.7 * findings_.knee->per_second;
    const auto target = make_target(arguments_, chosen());
    try {
      timeline_ = measure(*target, arguments_, {0, shown_rate_}, 1).timeline;
    } catch (const MeasureError& error) {
      left_out_.push_back(std::string("batch sizes over time, ") + error.what());
    }
  }

  const Arguments& arguments_;
  std::vector<Setting> settings_;
  Progress progress_;
  Findings findings_;
  RunFile keys_;
  Timeline timeline_;
  double shown_rate_ = 0;
  std::vector<std::string> left_out_;
};

void print_points(const std::vector<SweepPoint>& points) {
  for (const SweepPoint& point : points) {
    const std::string offered = point.offered_per_second == 0
                                    ? "saturated"
                                    : fmt::format("{:.0f}/s", point.offered_per_second);
    fmt::print("{:<42} {:>10} {:>9.0f} {:>7.1f} {:>10} {:>10} {:>8.1f} %\n",
               to_string(point.setting), offered, point.per_second, point.mean_batch,
               duration_text(point.p50_ns), duration_text(point.p99_ns), point.refused_share * 100);
  }
}

void print(const Sweep& sweep) {
  fmt::print("{:<42} {:>10} {:>9} {:>7} {:>10} {:>10} {:>10}\n", "setting", "offered", "served/s",
             "batch", "p50", "p99", "refused");
  print_points(sweep.findings().saturated);
  print_points(sweep.findings().loaded);
  for (const std::string& line : sweep.left_out()) fmt::print("left out: {}\n", line);
  fmt::print("\n");
  for (const std::string& sentence : advice(sweep.findings())) fmt::print("{}\n", sentence);
}

std::vector<Tile> tiles_of(const Findings& findings) {
  std::vector<Tile> tiles{
      {"knee", fmt::format("{} rows", findings.knee->setting.max_batch),
       "smallest batch within 2 % of the best"},
      {"at saturation", fmt::format("{:.0f}/s", findings.knee->per_second), "closed loop"}};
  if (findings.recommended) {
    const SweepPoint& best = *findings.recommended;
    tiles.push_back({"within the goal", fmt::format("{:.0f}/s", best.per_second), "open loop"});
    tiles.push_back(
        {"p99 there", duration_text(best.p99_ns), "goal " + duration_text(findings.goal_ns)});
  }
  return tiles;
}

Report report_of(const Arguments& arguments, const Sweep& sweep,
                 const std::map<std::string, std::string>& lines) {
  Report report;
  report.title = "Tuning " + arguments.model_text;
  report.about = lines;
  report.advice = advice(sweep.findings());
  report.tiles = tiles_of(sweep.findings());
  report.goal_ns = sweep.findings().goal_ns;
  report.saturated = sweep.findings().saturated;
  report.loaded = sweep.findings().loaded;
  if (sweep.findings().recommended) report.highlighted = {*sweep.findings().recommended};
  report.curve = sweep.curve();
  report.timeline = sweep.timeline();
  report.timeline_caption =
      fmt::format("{} at {:.0f} requests/s. The darker, the more of the batches had that size.",
                  to_string(sweep.chosen()), sweep.shown_rate());
  return report;
}

}  // namespace

int sweep_command(const Arguments& arguments, const std::string& command_line) {
  Sweep sweep(arguments);
  sweep.run();
  print(sweep);
  RunFile run = sweep.keys();
  run.about = about(arguments, command_line);
  if (!arguments.json.empty()) write_text(arguments.json, to_json(run));
  if (!arguments.html.empty()) {
    write_text(arguments.html, html_report(report_of(arguments, sweep, run.about)));
  }
  return 0;
}

}  // namespace tuner
