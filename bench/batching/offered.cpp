#include "batching/offered.hpp"

#include <algorithm>
#include <stdexcept>

#include "tuner/closed_loop.hpp"
#include "tuner/open_loop.hpp"

namespace bench {
namespace {

constexpr int kAttempts = 6;  // a host that takes the core away for 7 ms spoils one

tuner::Nanos nanos(double seconds) { return static_cast<tuner::Nanos>(seconds * 1e9); }

std::vector<tuner::Arrival> arrivals_of(const Offer& offer, std::uint64_t seed) {
  const double seconds = offer.warm_up + offer.seconds;
  std::vector<std::vector<tuner::Nanos>> streams;
  for (const tuner::TenantLoad& tenant : offer.mix) {
    streams.push_back(tuner::make_arrivals({}, tenant.per_second, seconds, seed + streams.size()));
  }
  if (streams.empty()) {
    streams.push_back(tuner::make_arrivals({}, offer.per_second, seconds, seed));
  }
  return tuner::merge_streams(streams);
}

}  // namespace

tuner::LoadResult offer(tuner::Target& target, const Offer& offer) {
  tuner::OpenLoopOptions options;
  options.warm_up = nanos(offer.warm_up);
  options.measured = nanos(offer.seconds);
  options.deadline = offer.deadline;
  options.tenants = std::max<std::size_t>(1, offer.mix.size());
  std::string why;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto arrivals =
        arrivals_of(offer, offer.seed * 7919 + static_cast<std::uint64_t>(attempt) * 104'729);
    tuner::LoadResult result = tuner::open_loop(target, arrivals, options);
    if (result.all().failed != 0) throw std::runtime_error("requests failed");
    why = result.proof.failure();
    if (why.empty()) return result;
  }
  throw std::runtime_error(why);
}

double saturation(tuner::Target& target, int in_flight, double seconds) {
  const tuner::LoadResult result =
      tuner::closed_loop(target, in_flight, nanos(0.2), nanos(seconds));
  if (result.all().failed != 0) throw std::runtime_error("requests failed");
  return result.per_second();
}

double milliseconds(const tuner::LatencyHistogram& latency, double share) {
  return static_cast<double>(latency.percentile(share)) * 1e-6;
}

}  // namespace bench
