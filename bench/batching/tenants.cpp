// batching.tenants.*: one tenant floods, another asks for a tenth of that, and both ask for more
// than their share: what is served is to be divided by weight. And a quiet tenant that asks for
// little is to wait hardly longer than if it were alone.
#include <algorithm>
#include <cmath>
#include <memory>

#include "batching/groups.hpp"
#include "batching/offered.hpp"
#include "tuner/fair_share.hpp"
#include "tuner/subject.hpp"

namespace bench {
namespace {

using Mix = std::vector<tuner::TenantLoad>;
constexpr std::size_t kMaxBatch = 16;

// 2.1 ms alone, 3.6 ms for 16: the shape of the MLP, and slow enough that a flood of nine times its
// saturation is cheap to make. Beside a flood every batch is full, so no rule can keep a newcomer's
// p99 under two full batches.
const tuner::ModelSpec kSlow{tuner::ModelKind::spin, 2'000'000, 100'000, {}};
// The same curve twice as fast, so that the quiet tenant sends enough for a 99th percentile.
const tuner::ModelSpec kFast{tuner::ModelKind::spin, 1'000'000, 50'000, {}};

std::unique_ptr<tuner::Subject> subject(const tuner::ModelSpec& model, const Mix& mix) {
  tuner::SubjectOptions options;
  options.model = model;
  options.setting.max_batch = kMaxBatch;
  options.max_queue = 256;
  options.tenants = mix;
  return std::make_unique<tuner::Subject>(options);
}

tuner::LoadResult run(const tuner::ModelSpec& model, const Mix& mix, double seconds,
                      std::uint64_t seed) {
  const auto target = subject(model, mix);
  Offer offered;
  offered.mix = mix;
  offered.seconds = seconds;
  offered.warm_up = 0.4;
  offered.seed = seed;
  return offer(*target, offered);
}

// The largest difference between what a tenant got and what it should have got, as shares.
double share_error(const Mix& mix, double seconds, std::uint64_t seed) {
  const tuner::LoadResult result = run(kSlow, mix, seconds, seed);
  const std::vector<double> fair = tuner::fair_shares(mix, result.per_second());
  std::vector<double> served;
  for (const auto& tenant : result.tenants) served.push_back(static_cast<double>(tenant.ok));
  const std::vector<double> shares = tuner::shares_of(served);
  double error = 0;
  for (std::size_t i = 0; i < mix.size(); ++i) {
    error = std::max(error, std::fabs(shares[i] - fair[i]));
  }
  return error;
}

double saturation_of(const tuner::ModelSpec& model) {
  const auto target = subject(model, {});
  return saturation(*target, 4 * static_cast<int>(kMaxBatch), 1.0);
}

struct State {
  double slow_saturation = 0;
  double fast_saturation = 0;
  std::uint64_t round = 0;
};

struct Seconds {
  double shares = 1;
  double quiet = 1;
};

void shares_round(Sample& sample, double full, double seconds, std::uint64_t seed) {
  const double equal =
      share_error({{"flood", 1, 7 * full}, {"small", 1, 0.7 * full}}, seconds, seed);
  const double weighted =
      share_error({{"flood", 1, 9 * full}, {"small", 3, 0.9 * full}}, seconds, seed);
  sample.set("batching.tenants.share_error", std::max(equal, weighted));
  sample.set("batching.tenants.equal_share_error", equal);
  sample.set("batching.tenants.weighted_share_error", weighted);
}

void quiet_round(Sample& sample, double full, double seconds, std::uint64_t seed) {
  const tuner::TenantLoad quiet{"quiet", 1, 0.1 * full};
  const tuner::LoadResult alone = run(kFast, {quiet}, seconds, seed);
  const tuner::LoadResult beside = run(kFast, {quiet, {"flood", 1, 3 * full}}, seconds, seed);
  const auto& latency = beside.tenants[0].latency;
  const double p99_alone = milliseconds(alone.tenants[0].latency, 0.99);
  const double p99_beside = milliseconds(latency, 0.99);
  const double beyond = 0.01 * static_cast<double>(latency.count());
  sample.set_percentile("batching.tenants.quiet_p99_ratio", p99_beside / p99_alone, beyond);
  sample.set_percentile("batching.tenants.quiet_alone_p99_ms", p99_alone, beyond);
  sample.set_percentile("batching.tenants.quiet_p99_ms", p99_beside, beyond);
  sample.set("batching.tenants.flood_p99_ms", milliseconds(beside.tenants[1].latency, 0.99));
}

}  // namespace

std::vector<Group> tenant_groups(const Options& options) {
  const auto state = std::make_shared<State>();
  const Seconds seconds = options.quick ? Seconds{1.5, 3} : Seconds{4, 13};
  return {{.name = "batching.tenants",
           .keys = {{.name = "batching.tenants.share_error", .unit = "share", .at_most = 0.05},
                    {.name = "batching.tenants.quiet_p99_ratio", .unit = "ratio", .at_most = 2},
                    {.name = "batching.tenants.equal_share_error", .unit = "share"},
                    {.name = "batching.tenants.weighted_share_error", .unit = "share"},
                    {.name = "batching.tenants.quiet_alone_p99_ms", .unit = "ms"},
                    {.name = "batching.tenants.quiet_p99_ms", .unit = "ms"},
                    {.name = "batching.tenants.flood_p99_ms", .unit = "ms"}},
           .begin =
               [state] {
                 state->slow_saturation = saturation_of(kSlow);
                 state->fast_saturation = saturation_of(kFast);
               },
           .round =
               [=](Sample& sample) {
                 const std::uint64_t seed = ++state->round;
                 shares_round(sample, state->slow_saturation, seconds.shares, seed);
                 quiet_round(sample, state->fast_saturation, seconds.quiet, seed);
               }}};
}

}  // namespace bench
