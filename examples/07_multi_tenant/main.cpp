// A noisy tenant, and what it can do to others: nothing, if they have a guarantee. Plays the same
// requests against a cache that everybody shares like one, and against one that knows its tenants;
// prints both and draws multi_tenant.svg (or the file that is named).
#include <aiserve/cache/cache.hpp>
#include <aiserve/core/runtime.hpp>

#include <array>
#include <cstdio>

#include "plot.hpp"
#include "traffic.hpp"

using namespace aiserve;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kCapacity = 8_MiB;
constexpr int kWindows = 60;  // points of a line
constexpr int kRequestsPerWindow = 4000;
constexpr double kNoise = 0.6;

// Who a request counts as: its own tenant, or everybody the same.
using TenantOf = TenantId (*)(int);

TenantId everybody(int) { return TenantId("everybody"); }
TenantId own(int tenant) { return TenantId(example::kTenants[tenant]); }

example::Panel play(Cache& cache, TenantOf tenant_of, const char* title) {
  example::Traffic traffic;
  const Bytes answer = Bytes::copy(std::string(1000, 'a'));
  example::Panel panel{title, {{"search", {}}, {"support", {}}, {"scanner", {}}}};
  for (int window = 0; window < kWindows; ++window) {
    const bool scanner = window >= kWindows / 3 && window < kWindows * 2 / 3;
    std::array<double, 3> hits{};
    std::array<double, 3> requests{1e-9, 1e-9, 1e-9};
    for (int i = 0; i < kRequestsPerWindow; ++i) {
      const example::Request request = traffic.next(scanner, kNoise);
      const auto who = static_cast<std::size_t>(request.tenant);
      const TenantId tenant = tenant_of(request.tenant);
      ++requests[who];
      if (cache.find(tenant, request.key)) {
        ++hits[who];
      } else if (const auto stored = cache.put(tenant, request.key, answer, {.cost = 20ms});
                 !stored) {
        std::fprintf(stderr, "%s\n", stored.error().message().c_str());
      }
    }
    for (std::size_t i = 0; i < hits.size(); ++i) {
      panel.lines[i].values.push_back(hits[i] / requests[i]);
    }
  }
  return panel;
}

// The mean of the middle third, while the scanner runs, without its first windows.
double beside_the_scanner(const example::Line& line) {
  double sum = 0;
  const int first = kWindows / 3 + 4;
  for (int i = first; i < kWindows * 2 / 3; ++i) sum += line.values[static_cast<std::size_t>(i)];
  return sum / (kWindows * 2 / 3 - first);
}

}  // namespace

int main(int argc, char** argv) {
  Runtime runtime;
  Cache shared(runtime, {.name = "shared", .capacity = kCapacity, .policy = EvictionPolicy::lru});
  Cache tenants(runtime, {.name = "tenants",
                          .capacity = kCapacity,
                          .tenants = {{TenantId("search"), {.guarantee = 3_MiB}},
                                      {TenantId("support"), {.guarantee = 4_MiB}}}});
  const std::vector<example::Panel> panels{play(shared, everybody, "One LRU for everybody"),
                                           play(tenants, own, "Tenants with guarantees")};
  for (const example::Panel& panel : panels) {
    std::printf("%-26s beside the scanner: search %.2f, support %.2f\n", panel.title.c_str(),
                beside_the_scanner(panel.lines[0]), beside_the_scanner(panel.lines[1]));
  }
  for (const TenantUse& use : tenants.snapshot().tenants) {
    std::printf("%-8s %5zu KiB, evicted by others %llu, saved %.0f s of model time\n",
                use.tenant.value().c_str(), use.bytes / 1024,
                static_cast<unsigned long long>(use.counts.evicted_by_others),
                std::chrono::duration<double>(use.counts.saved).count());
  }
  return example::write_svg(argc > 1 ? argv[1] : "multi_tenant.svg", panels) ? 0 : 1;
}
