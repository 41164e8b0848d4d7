// Comparing two runs: which keys got worse, which better, and how sure that is.
//
// A key has changed when its medians differ by more than the threshold *and* the repeats say it is
// no chance: the Mann-Whitney test at 5 %. With fewer than 4 repeats on a side that test can never
// say so; then the whole bootstrap interval of the ratio must lie beyond the threshold and no two
// repeats overlap, and the change counts as likely only.
#pragma once

#include <string>
#include <vector>

#include "tuner/run_file.hpp"
#include "tuner/statistics.hpp"

namespace tuner {

enum class Better : std::uint8_t { higher, lower, neither };
/// By the words of the key: latencies, CPU and shares of error are better low; rates are better
/// high; what only describes the run (mean_batch, offered) is neither.
Better direction_of(std::string_view key);

enum class Verdict : std::uint8_t { same, better, worse, changed, only_before, only_after };
enum class Confidence : std::uint8_t { none, likely, sure };

struct Comparison {
  std::string key;
  Verdict verdict = Verdict::same;
  Confidence confidence = Confidence::none;
  double before = 0;
  double after = 0;
  Interval ratio{};  // after / before, 95 %
  double p_value = 1;
};

/// Worst first. `threshold` is the relative change that matters, like 0.05.
std::vector<Comparison> compare(const RunFile& before, const RunFile& after, double threshold);

/// A table, the summary in words last.
std::string comparison_text(const std::vector<Comparison>& all);
bool any_regression(const std::vector<Comparison>& all) noexcept;

}  // namespace tuner
