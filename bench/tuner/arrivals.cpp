#include "tuner/arrivals.hpp"

#include <algorithm>
#include <cmath>
#include <random>

namespace tuner {
namespace {

constexpr double kNanosPerSecond = 1e9;

// Not std::exponential_distribution: its numbers differ from library to library.
class ExponentialGaps {
 public:
  ExponentialGaps(double per_second, std::uint64_t seed) : per_second_(per_second), random_(seed) {}
  double next() {
    const double uniform = static_cast<double>(random_() >> 11) * 0x1p-53;  // [0, 1)
    return -std::log1p(-uniform) / per_second_;
  }

 private:
  double per_second_;
  std::mt19937_64 random_;
};

Nanos to_nanos(double seconds) { return std::llround(seconds * kNanosPerSecond); }

std::vector<Nanos> poisson(double per_second, double seconds, std::uint64_t seed) {
  std::vector<Nanos> times;
  ExponentialGaps gaps(per_second, seed);
  for (double at = gaps.next(); at < seconds; at += gaps.next()) times.push_back(to_nanos(at));
  return times;
}

std::vector<Nanos> uniform(double per_second, double seconds) {
  std::vector<Nanos> times;
  for (std::uint64_t i = 0;; ++i) {
    const double at = static_cast<double>(i) / per_second;
    if (at >= seconds) return times;
    times.push_back(to_nanos(at));
  }
}

// Poisson on the clock that only runs while the source is on, then the pauses are put in.
std::vector<Nanos> bursty(const ArrivalPlan& plan, double per_second, double seconds,
                          std::uint64_t seed) {
  const double period = plan.on_seconds + plan.off_seconds;
  const double whole = std::floor(seconds / period);
  const double on_time =
      whole * plan.on_seconds + std::min(seconds - whole * period, plan.on_seconds);
  std::vector<Nanos> times;
  ExponentialGaps gaps(per_second * seconds / on_time, seed);
  for (double at = gaps.next(); at < on_time; at += gaps.next()) {
    times.push_back(to_nanos(at + std::floor(at / plan.on_seconds) * plan.off_seconds));
  }
  return times;
}

std::vector<Nanos> replay(const ArrivalPlan& plan, double per_second, double seconds) {
  std::vector<Nanos> times;
  const double rate = recorded_rate(plan.recorded);
  if (rate == 0) return times;
  const double stretch = per_second == 0 ? 1 : rate / per_second;
  const Nanos first = plan.recorded.front();
  const double span = static_cast<double>(plan.recorded.back() - first);
  const double round = span + kNanosPerSecond / rate;  // one mean gap before it begins again
  for (double begin = 0;; begin += round) {
    for (const Nanos recorded : plan.recorded) {
      const double at = (begin + static_cast<double>(recorded - first)) * stretch;
      if (at >= seconds * kNanosPerSecond) return times;
      times.push_back(std::llround(at));
    }
  }
}

}  // namespace

double recorded_rate(std::span<const Nanos> recorded) noexcept {
  if (recorded.size() < 2 || recorded.back() <= recorded.front()) return 0;
  const auto span = static_cast<double>(recorded.back() - recorded.front());
  return static_cast<double>(recorded.size() - 1) * kNanosPerSecond / span;
}

std::vector<Nanos> make_arrivals(const ArrivalPlan& plan, double per_second, double seconds,
                                 std::uint64_t seed) {
  if (plan.kind == ArrivalKind::replay) return replay(plan, per_second, seconds);
  if (per_second <= 0 || seconds <= 0) return {};
  if (plan.kind == ArrivalKind::uniform) return uniform(per_second, seconds);
  if (plan.kind == ArrivalKind::bursty) return bursty(plan, per_second, seconds, seed);
  return poisson(per_second, seconds, seed);
}

std::vector<Arrival> merge_streams(std::span<const std::vector<Nanos>> streams) {
  std::vector<Arrival> all;
  for (std::uint32_t tenant = 0; tenant < streams.size(); ++tenant) {
    for (const Nanos at : streams[tenant]) all.push_back({at, tenant});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Arrival& a, const Arrival& b) { return a.at < b.at; });
  return all;
}

}  // namespace tuner
