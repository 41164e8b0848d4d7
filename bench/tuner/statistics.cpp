#include "tuner/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <random>

namespace tuner {
namespace {

struct Ranks {
  double sum_of_a = 0;
  double ties = 0;  // sum of t^3 - t over groups of equal values
};

Ranks rank(std::span<const double> a, std::span<const double> b) {
  struct Value {
    double value;
    bool of_a;
  };
  std::vector<Value> all;
  for (const double value : a) all.push_back({value, true});
  for (const double value : b) all.push_back({value, false});
  std::sort(all.begin(), all.end(), [](auto x, auto y) { return x.value < y.value; });
  Ranks ranks;
  for (std::size_t begin = 0; begin < all.size();) {
    std::size_t end = begin;
    while (end < all.size() && all[end].value == all[begin].value) ++end;
    const auto group = static_cast<double>(end - begin);
    const double shared = static_cast<double>(begin + end + 1) / 2;  // mean of begin+1 ... end
    for (std::size_t i = begin; i < end; ++i) ranks.sum_of_a += all[i].of_a ? shared : 0;
    ranks.ties += group * group * group - group;
    begin = end;
  }
  return ranks;
}

// counts[u]: in how many orders of m and n values U is u. Recurrence of the 1947 paper:
// N(m, n, u) = N(m - 1, n, u - n) + N(m, n - 1, u).
double exact_p(std::size_t m, std::size_t n, double u) {
  std::vector<std::vector<double>> row(n + 1, std::vector<double>(m * n + 1, 0));  // for m - 1
  for (auto& counts : row) counts[0] = 1;
  for (std::size_t i = 1; i <= m; ++i) {
    std::vector<std::vector<double>> next(n + 1, std::vector<double>(m * n + 1, 0));
    next[0][0] = 1;
    for (std::size_t j = 1; j <= n; ++j) {
      for (std::size_t k = 0; k <= i * j; ++k) {
        next[j][k] = next[j - 1][k] + (k >= j ? row[j][k - j] : 0);
      }
    }
    row = std::move(next);
  }
  double all = 0;
  double beyond = 0;
  for (std::size_t k = 0; k <= m * n; ++k) {
    all += row[n][k];
    if (static_cast<double>(k) <= u) beyond += row[n][k];
  }
  return std::min(1.0, 2 * beyond / all);
}

double normal_p(double m, double n, double u, double ties) {
  const double total = m + n;
  const double variance = m * n / 12 * (total + 1 - ties / (total * (total - 1)));
  if (variance <= 0) return 1;
  const double z = std::max(0.0, m * n / 2 - u - 0.5) / std::sqrt(variance);
  return std::erfc(z / std::sqrt(2.0));
}

double resampled_median(std::span<const double> values, std::mt19937_64& random) {
  std::vector<double> drawn(values.size());
  for (double& value : drawn) value = values[random() % values.size()];
  return median(std::move(drawn));
}

}  // namespace

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double mann_whitney_p(std::span<const double> a, std::span<const double> b) {
  if (a.empty() || b.empty()) return 1;
  const auto m = static_cast<double>(a.size());
  const auto n = static_cast<double>(b.size());
  const Ranks ranks = rank(a, b);
  const double u_of_a = ranks.sum_of_a - m * (m + 1) / 2;
  const double u = std::min(u_of_a, m * n - u_of_a);
  if (ranks.ties == 0 && a.size() * b.size() <= 400) return exact_p(a.size(), b.size(), u);
  return normal_p(m, n, u, ranks.ties);
}

Interval ratio_interval(std::span<const double> a, std::span<const double> b, std::uint64_t seed) {
  if (a.empty() || b.empty()) return {};
  constexpr std::size_t kResamples = 2000;
  std::mt19937_64 random(seed);
  std::vector<double> ratios;
  for (std::size_t i = 0; i < kResamples; ++i) {
    const double below = resampled_median(a, random);
    const double above = resampled_median(b, random);
    if (below != 0) ratios.push_back(above / below);
  }
  if (ratios.empty()) return {};
  std::sort(ratios.begin(), ratios.end());
  const auto at = [&](double share) {
    return ratios[static_cast<std::size_t>(share * static_cast<double>(ratios.size() - 1))];
  };
  return {at(0.025), at(0.975)};
}

}  // namespace tuner
