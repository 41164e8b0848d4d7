#include "tuner/advice.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "tuner/parse.hpp"

namespace tuner {
namespace {

std::string setting_text(const Setting& setting) { return to_string(setting); }

// Of one row at a time, with as many threads as the knee.
double single_row_rate(const Findings& findings) {
  double rate = 0;
  for (const SweepPoint& point : findings.saturated) {
    const bool alike = point.setting.instances == findings.knee->setting.instances &&
                       point.setting.threads == findings.knee->setting.threads;
    if (point.setting.max_batch == 1 && alike) rate = std::max(rate, point.per_second);
  }
  return rate;
}

std::string knee_text(const Findings& findings) {
  const Setting& knee = findings.knee->setting;
  const bool largest = std::none_of(
      findings.saturated.begin(), findings.saturated.end(),
      [&](const SweepPoint& point) { return point.setting.max_batch > knee.max_batch; });
  return fmt::format("The knee of the throughput is {} ({:.0f} requests/s): {}.",
                     setting_text(knee), findings.knee->per_second,
                     largest ? "no larger batch was tried" : "nothing larger gained 2 % more");
}

std::string gain_text(const Findings& findings) {
  const double single = single_row_rate(findings);
  if (single <= 0) return {};
  if (findings.knee->setting.max_batch == 1) {
    return "Batching does not pay for this model on this machine: larger batches gained less than "
           "2 %.";
  }
  return fmt::format("Batching gains {:.1f} times the throughput of one row at a time.",
                     findings.knee->per_second / single);
}

std::string beyond_text(const Findings& findings) {
  const SweepPoint* beyond = nullptr;
  for (const SweepPoint& point : findings.loaded) {
    const bool alike = point.setting == findings.recommended->setting;
    if (!alike || point.p99_ns <= findings.goal_ns) continue;
    if (beyond == nullptr || point.offered_per_second < beyond->offered_per_second) beyond = &point;
  }
  if (beyond == nullptr) return "No load that was tried broke the goal with this setting.";
  return fmt::format("At {:.0f} requests/s its p99 was {}: plan more processes before that.",
                     beyond->offered_per_second, duration_text(beyond->p99_ns));
}

std::string unreachable_text(const Findings& findings) {
  const auto quickest =
      std::min_element(findings.loaded.begin(), findings.loaded.end(),
                       [](const auto& a, const auto& b) { return a.p99_ns < b.p99_ns; });
  if (quickest == findings.loaded.end()) return "No load could be offered; see the messages above.";
  return fmt::format(
      "No setting kept p99 within {}. The quickest was {} with {} at {:.0f} requests/s.",
      duration_text(findings.goal_ns), setting_text(quickest->setting),
      duration_text(quickest->p99_ns), quickest->offered_per_second);
}

}  // namespace

std::vector<std::string> advice(const Findings& findings) {
  std::vector<std::string> sentences;
  if (!findings.knee) return {"Nothing could be measured."};
  const SweepPoint& knee = *findings.knee;
  if (findings.goal_ns > 0 && findings.recommended) {
    const SweepPoint& best = *findings.recommended;
    sentences.push_back(fmt::format("Use {}: it kept p99 at {} (goal {}) up to {:.0f} requests/s.",
                                    setting_text(best.setting), duration_text(best.p99_ns),
                                    duration_text(findings.goal_ns), best.per_second));
    sentences.push_back(beyond_text(findings));
  } else if (findings.goal_ns > 0) {
    sentences.push_back(unreachable_text(findings));
  } else {
    sentences.push_back(fmt::format("Use {}: {:.0f} requests/s at saturation.",
                                    setting_text(knee.setting), knee.per_second));
  }
  sentences.push_back(knee_text(findings));
  if (const std::string gain = gain_text(findings); !gain.empty()) sentences.push_back(gain);
  return sentences;
}

}  // namespace tuner
