#include "tuner/compare.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/core.h>

namespace tuner {
namespace {

bool ends_with_any(std::string_view key, std::span<const std::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [&](std::string_view ending) { return key.ends_with(ending); });
}

bool overlap(const std::vector<double>& a, const std::vector<double>& b) {
  const auto [least_a, most_a] = std::minmax_element(a.begin(), a.end());
  const auto [least_b, most_b] = std::minmax_element(b.begin(), b.end());
  return *least_a <= *most_b && *least_b <= *most_a;
}

Confidence confidence_of(const std::vector<double>& before, const std::vector<double>& after,
                         const Comparison& seen, double threshold) {
  if (seen.p_value < 0.05) return Confidence::sure;
  const bool few = std::min(before.size(), after.size()) < 4;
  const bool beyond = seen.ratio.low > 1 + threshold || seen.ratio.high < 1 - threshold;
  const bool repeated = before.size() > 1 && after.size() > 1;
  return few && repeated && beyond && !overlap(before, after) ? Confidence::likely
                                                              : Confidence::none;
}

Verdict verdict_of(std::string_view key, double before, double after) {
  const Better better = direction_of(key);
  if (better == Better::neither) return Verdict::changed;
  return (after > before) == (better == Better::higher) ? Verdict::better : Verdict::worse;
}

Comparison compare_key(const std::string& key, const std::vector<double>& before,
                       const std::vector<double>& after, double threshold) {
  Comparison seen{.key = key, .before = median(before), .after = median(after)};
  seen.ratio = ratio_interval(before, after);
  seen.p_value = mann_whitney_p(before, after);
  const double scale = std::fabs(seen.before);
  if (std::fabs(seen.after - seen.before) <= threshold * scale) return seen;
  seen.confidence = confidence_of(before, after, seen, threshold);
  if (seen.confidence != Confidence::none) seen.verdict = verdict_of(key, seen.before, seen.after);
  return seen;
}

int urgency(const Comparison& seen) {
  constexpr std::array<int, 6> kOrder{5, 2, 0, 1, 3, 4};  // by Verdict
  return kOrder[static_cast<std::size_t>(seen.verdict)];
}

std::string_view name_of(const Comparison& seen) {
  constexpr std::array<std::string_view, 6> kNames{"same",    "better",      "WORSE",
                                                   "changed", "only before", "only after"};
  return kNames[static_cast<std::size_t>(seen.verdict)];
}

std::string_view name_of(Confidence confidence) {
  constexpr std::array<std::string_view, 3> kNames{"", "likely", "sure"};
  return kNames[static_cast<std::size_t>(confidence)];
}

std::string row_text(const Comparison& seen) {
  const double change = seen.before == 0 ? 0 : (seen.after / seen.before - 1) * 100;
  return fmt::format(
      "{:<11} {:<7} {:<44} {:>11.5g} {:>11.5g} {:>+8.1f} %  {:.3f} to {:.3f}  {:.3f}\n",
      name_of(seen), name_of(seen.confidence), seen.key, seen.before, seen.after, change,
      seen.ratio.low, seen.ratio.high, seen.p_value);
}

}  // namespace

Better direction_of(std::string_view key) {
  constexpr std::string_view kSuffix = "_unstable";
  if (key.ends_with(kSuffix)) key.remove_suffix(kSuffix.size());
  constexpr std::array<std::string_view, 13> kLower{
      "_ms",       "_us",       "_ns",         "ns_per_request", "policy_ns",     "p99_ratio",
      "p50_ratio", "cpu_ratio", "_vs_handoff", "share_error",    "reject_ms_p99", "_us_per_request",
      "computed"};
  constexpr std::array<std::string_view, 5> kHigher{"per_s", "throughput_ratio", "saturation_ratio",
                                                    "goodput_ratio", "ratio"};
  constexpr std::array<std::string_view, 2> kNeither{"offered_per_s", "_batch"};
  if (ends_with_any(key, kNeither)) return Better::neither;
  if (ends_with_any(key, kLower)) return Better::lower;
  if (ends_with_any(key, kHigher)) return Better::higher;
  return Better::neither;
}

std::vector<Comparison> compare(const RunFile& before, const RunFile& after, double threshold) {
  std::vector<Comparison> all;
  for (const auto& [key, values] : before.values) {
    const auto found = after.values.find(key);
    if (found == after.values.end()) {
      all.push_back({.key = key, .verdict = Verdict::only_before, .before = median(values)});
    } else {
      all.push_back(compare_key(key, values, found->second, threshold));
    }
  }
  for (const auto& [key, values] : after.values) {
    if (before.values.contains(key)) continue;
    all.push_back({.key = key, .verdict = Verdict::only_after, .after = median(values)});
  }
  std::stable_sort(all.begin(), all.end(), [](const Comparison& a, const Comparison& b) {
    return urgency(a) < urgency(b);
  });
  return all;
}

std::string comparison_text(const std::vector<Comparison>& all) {
  std::string text =
      fmt::format("{:<11} {:<7} {:<44} {:>11} {:>11} {:>10}  {:<14}  {}\n", "verdict", "", "key",
                  "before", "after", "change", "95 % of ratio", "p");
  for (const Comparison& seen : all) text += row_text(seen);
  const auto count = [&](Verdict verdict) {
    return std::count_if(all.begin(), all.end(),
                         [&](const Comparison& seen) { return seen.verdict == verdict; });
  };
  return text + fmt::format("{} worse, {} better, {} changed otherwise, {} the same\n",
                            count(Verdict::worse), count(Verdict::better), count(Verdict::changed),
                            count(Verdict::same));
}

bool any_regression(const std::vector<Comparison>& all) noexcept {
  return std::any_of(all.begin(), all.end(),
                     [](const Comparison& seen) { return seen.verdict == Verdict::worse; });
}

}  // namespace tuner
