// cache.bytes_per_entry: what an entry takes beside its key and value.
#include <fstream>
#include <string>

#include <unistd.h>

#include "cache/groups.hpp"
#include "cache/subject.hpp"
#include "cache/workload.hpp"

namespace bench {
namespace {

constexpr std::size_t kEntries = 1'000'000;

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double size = 0;
  double resident = 0;
  statm >> size >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

void round(Sample& sample) {
  const std::vector<CacheKey16> keys = random_keys(kEntries, 1);
  const std::string value(kCacheValue, 'v');
  const double before = resident_bytes();
  CacheSubject subject(std::size_t{512} << 20);
  std::uint32_t tenant = 0;
  for (const CacheKey16& key : keys) subject.put(tenant++ & 3, key, value);
  const auto snapshot = subject.cache().snapshot();
  const auto entries = static_cast<double>(snapshot.entries);
  constexpr double kPayload = sizeof(CacheKey16) + kCacheValue;
  sample.set("cache.entries", entries);
  sample.set("cache.bytes_per_entry", (resident_bytes() - before) / entries - kPayload);
  sample.set("cache.charged_per_entry", static_cast<double>(snapshot.bytes) / entries - kPayload);
}

}  // namespace

// The allocator keeps what a first round freed: only the first one shows what an entry takes.
std::vector<Group> memory_groups(const Options&) {
  auto first = std::make_shared<Sample>();
  return {{.name = "memory",
           .keys = {{.name = "cache.bytes_per_entry", .unit = "bytes", .at_most = 80},
                    {.name = "cache.charged_per_entry", .unit = "bytes"},
                    {.name = "cache.entries", .unit = ""}},
           .round = [first](Sample& sample) {
             if (first->values().empty()) round(*first);
             sample = *first;
           }}};
}

}  // namespace bench
