#include "tuner/load_keys.hpp"

#include <array>

#include "tuner/fair_share.hpp"
#include "tuner/statistics.hpp"

namespace tuner {
namespace {

struct Percentile {
  const char* name;
  double share;
};
constexpr std::array<Percentile, 4> kPercentiles{
    {{"p50_ms", 0.5}, {"p90_ms", 0.9}, {"p99_ms", 0.99}, {"p999_ms", 0.999}}};

double milliseconds(const LatencyHistogram& latency, double share) {
  return static_cast<double>(latency.percentile(share)) * 1e-6;
}

void add_percentiles(RunFile& run, const std::string& prefix, const LatencyHistogram& latency) {
  if (latency.count() == 0) return;
  for (const Percentile& each : kPercentiles) {
    const char* ending = stable(each.share, latency.count()) ? "" : "_unstable";
    run.add(prefix + "." + each.name + ending, milliseconds(latency, each.share));
  }
}

double refused_share(const TenantResult& all) {
  if (all.answered() == 0) return 0;
  return static_cast<double>(all.refused + all.expired) / static_cast<double>(all.answered());
}

void add_tenants(RunFile& run, const std::string& prefix, const LoadResult& load,
                 const std::vector<TenantLoad>& tenants) {
  std::vector<double> served;
  for (const TenantResult& tenant : load.tenants) served.push_back(static_cast<double>(tenant.ok));
  const std::vector<double> shares = shares_of(served);
  for (std::size_t i = 0; i < tenants.size(); ++i) {
    const std::string own = prefix + "." + tenants[i].name;
    run.add(own + ".share", shares[i]);
    run.add(own + ".per_s", served[i] / load.seconds);
    add_percentiles(run, own, load.tenants[i].latency);
  }
}

}  // namespace

void add_load_keys(RunFile& run, const std::string& prefix, const LoadResult& load,
                   const std::vector<TenantLoad>& tenants) {
  const TenantResult all = load.all();
  run.add(prefix + ".per_s", load.per_second());
  add_percentiles(run, prefix, all.latency);
  run.add(prefix + ".refused_share", refused_share(all));
  if (load.batches != 0) run.add(prefix + ".mean_batch", load.mean_batch());
  if (load.proof.offered_per_second > 0) {
    run.add(prefix + ".offered_per_s", load.proof.offered_per_second);
    run.add(prefix + ".send_lag_p99_us", static_cast<double>(load.proof.lag_p99) * 1e-3);
  }
  add_tenants(run, prefix, load, tenants);
}

SweepPoint point_of(const Setting& setting, double offered_per_second, const LoadResult& load) {
  const TenantResult all = load.all();
  const auto at = [&](double share) { return static_cast<double>(all.latency.percentile(share)); };
  SweepPoint point;
  point.setting = setting;
  point.offered_per_second = offered_per_second;
  point.per_second = load.per_second();
  point.p50_ns = at(0.5);
  point.p90_ns = at(0.9);
  point.p99_ns = at(0.99);
  point.p999_ns = at(0.999);
  point.mean_batch = load.mean_batch();
  point.refused_share = refused_share(all);
  return point;
}

SweepPoint median_point(const std::vector<SweepPoint>& repeats) {
  SweepPoint middle;
  if (repeats.empty()) return middle;
  const auto of = [&](double SweepPoint::*field) {
    std::vector<double> values;
    for (const SweepPoint& point : repeats) values.push_back(point.*field);
    return median(std::move(values));
  };
  middle.setting = repeats.front().setting;
  for (double SweepPoint::*field :
       {&SweepPoint::offered_per_second, &SweepPoint::per_second, &SweepPoint::p50_ns,
        &SweepPoint::p90_ns, &SweepPoint::p99_ns, &SweepPoint::p999_ns, &SweepPoint::mean_batch,
        &SweepPoint::refused_share}) {
    middle.*field = of(field);
  }
  return middle;
}

}  // namespace tuner
