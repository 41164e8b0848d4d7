#include "tuner/knee.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/core.h>

#include "tuner/parse.hpp"

namespace tuner {
namespace {

auto cost(const Setting& setting) noexcept {
  return std::tuple(setting.max_batch, setting.instances * setting.threads, setting.instances,
                    setting.wait);
}

bool differ_in_batch_only(const Setting& a, const Setting& b) noexcept {
  return a.instances == b.instances && a.threads == b.threads && a.wait == b.wait;
}

}  // namespace

std::string wait_text(const Setting& setting) {
  if (setting.wait == 0) return {};
  return ", window of " + duration_text(static_cast<double>(setting.wait));
}

std::string to_string(const Setting& setting) {
  return fmt::format("max_batch {}, {} instance{} of {} thread{}{}", setting.max_batch,
                     setting.instances, setting.instances == 1 ? "" : "s", setting.threads,
                     setting.threads == 1 ? "" : "s", wait_text(setting));
}

std::vector<Setting> combinations(const std::vector<std::size_t>& max_batches,
                                  const std::vector<int>& instances,
                                  const std::vector<int>& threads,
                                  const std::vector<Nanos>& waits) {
  std::vector<Setting> all;
  for (const Nanos wait : waits) {
    for (const int thread : threads) {
      for (const int instance : instances) {
        for (const std::size_t batch : max_batches) all.push_back({batch, instance, thread, wait});
      }
    }
  }
  return all;
}

std::optional<SweepPoint> find_knee(const std::vector<SweepPoint>& saturated) {
  double best = 0;
  for (const SweepPoint& point : saturated) best = std::max(best, point.per_second);
  std::optional<SweepPoint> knee;
  for (const SweepPoint& point : saturated) {
    if (point.per_second < 0.98 * best) continue;
    if (!knee || cost(point.setting) < cost(knee->setting)) knee = point;
  }
  return knee;
}

std::vector<Setting> candidates(const std::vector<SweepPoint>& saturated, std::size_t most) {
  std::vector<SweepPoint> knees;
  std::optional<SweepPoint> single;
  for (const SweepPoint& point : saturated) {
    if (point.setting.max_batch == 1 && (!single || point.per_second > single->per_second)) {
      single = point;
    }
    const bool seen = std::any_of(knees.begin(), knees.end(), [&](const SweepPoint& knee) {
      return differ_in_batch_only(knee.setting, point.setting);
    });
    if (seen) continue;
    std::vector<SweepPoint> alike;
    for (const SweepPoint& other : saturated) {
      if (differ_in_batch_only(other.setting, point.setting)) alike.push_back(other);
    }
    knees.push_back(*find_knee(alike));
  }
  std::stable_sort(knees.begin(), knees.end(), [](const SweepPoint& a, const SweepPoint& b) {
    return a.per_second > b.per_second;
  });
  std::vector<Setting> settings;
  for (const SweepPoint& knee : knees) {
    if (settings.size() < most) settings.push_back(knee.setting);
  }
  const bool has_single =
      !single || std::find(settings.begin(), settings.end(), single->setting) != settings.end();
  if (!has_single) settings.push_back(single->setting);
  return settings;
}

std::optional<SweepPoint> best_within(const std::vector<SweepPoint>& loaded, double goal_ns) {
  std::optional<SweepPoint> best;
  for (const SweepPoint& point : loaded) {
    if (point.p99_ns > goal_ns || point.refused_share > 0.001) continue;
    if (!best || point.per_second > best->per_second) best = point;
  }
  return best;
}

}  // namespace tuner
