// cache.hit.*: the Cache on recorded traces, against the best of five policies. Deterministic but
// for the hash's key, so a round is one pass over every trace.
#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <unordered_map>

#include "aiserve/cache/cache.hpp"
#include "aiserve/core/runtime.hpp"
#include "cache/groups.hpp"
#include "harness/process.hpp"
#include "rivals/cache_policies.hpp"

namespace bench {
namespace {

struct Rival {
  const char* name;
  MakePolicy make;
};
constexpr std::array kRivals{Rival{"lru", make_lru}, Rival{"arc", make_arc},
                             Rival{"sieve", make_sieve}, Rival{"s3_fifo", make_s3_fifo},
                             Rival{"w_tinylfu", make_w_tinylfu}};
constexpr std::array kTraces{"web07", "web12", "orm-busy", "orm-night"};

struct Trace {
  std::vector<std::uint32_t> accesses;  // keys numbered from 0
  std::size_t keys = 0;
};

// Big-endian integers of four bytes, xz-compressed.
Trace read_trace(const std::string& path) {
  if (!std::filesystem::exists(path)) throw std::runtime_error("no trace " + path);
  const std::string bytes = run_checked({"xz", "-dc", path}).output;
  Trace trace;
  std::unordered_map<std::uint32_t, std::uint32_t> numbers;
  trace.accesses.reserve(bytes.size() / 4);
  for (std::size_t at = 0; at + 4 <= bytes.size(); at += 4) {
    std::uint32_t key;
    std::memcpy(&key, bytes.data() + at, sizeof(key));
    const auto next = static_cast<std::uint32_t>(numbers.size());
    trace.accesses.push_back(numbers.emplace(__builtin_bswap32(key), next).first->second);
  }
  trace.keys = numbers.size();
  return trace;
}

double ratio(const Trace& trace, std::uint64_t hits) {
  return static_cast<double>(hits) / static_cast<double>(trace.accesses.size());
}

double play_policy(const Trace& trace, CachePolicy& policy) {
  std::uint64_t hits = 0;
  for (const std::uint32_t key : trace.accesses) hits += policy.access(key) ? 1 : 0;
  return ratio(trace, hits);
}

// The Cache counts bytes: it gets room for `entries` of the size that all entries have here.
double play_cache(const Trace& trace, std::size_t entries) {
  using namespace aiserve;
  const TenantId tenant("trace");
  const Bytes value = Bytes::literal("value");
  const auto key = [](const std::uint32_t& number) {
    return KeyView(std::string_view(reinterpret_cast<const char*>(&number), sizeof(number)));
  };
  Runtime runtime;
  Cache scale(runtime, {.name = "scale"});
  static_cast<void>(scale.put(tenant, key(0), value).ok());
  Cache cache(runtime, {.capacity = entries * scale.snapshot().bytes});
  std::uint64_t hits = 0;
  for (const std::uint32_t number : trace.accesses) {
    if (cache.find(tenant, key(number))) {
      ++hits;
    } else if (!cache.put(tenant, key(number), value)) {
      throw std::runtime_error("the cache refused an entry");
    }
  }
  return ratio(trace, hits);
}

std::string size_name(int percent) { return percent == 1 ? "1pct" : "10pct"; }

Group trace_group(const std::string& folder, const std::string& name) {
  Group group{.name = "hit " + name, .keys = {}, .round = {}};
  for (const int percent : {1, 10}) {
    const std::string prefix = "cache.hit." + name + "." + size_name(percent);
    group.keys.push_back({.name = prefix + ".margin", .unit = "ratio", .at_least = -0.02});
    group.keys.push_back({.name = prefix + ".ours", .unit = "ratio"});
    for (const Rival& rival : kRivals) {
      group.keys.push_back({.name = prefix + "." + rival.name, .unit = "ratio"});
    }
  }
  auto trace = std::make_shared<Trace>();
  group.begin = [trace, path = folder + "/" + name + ".trace.xz"] { *trace = read_trace(path); };
  group.round = [trace, name](Sample& sample) {
    for (const int percent : {1, 10}) {
      const std::string prefix = "cache.hit." + name + "." + size_name(percent);
      const std::size_t entries = trace->keys * static_cast<std::size_t>(percent) / 100;
      double best = 0;
      for (const Rival& rival : kRivals) {
        const double got = play_policy(*trace, *rival.make(entries, trace->keys));
        sample.set(prefix + "." + rival.name, got);
        best = std::max(best, got);
      }
      const double ours = play_cache(*trace, entries);
      sample.set(prefix + ".ours", ours);
      sample.set(prefix + ".margin", ours - best);
    }
  };
  group.end = [trace] { *trace = {}; };
  return group;
}

}  // namespace

std::vector<Group> hit_groups(const Options& options) {
  const auto given = options.extra.find("traces");
  const std::string folder = given == options.extra.end() ? "../shared/traces" : given->second;
  std::vector<Group> groups;
  groups.reserve(kTraces.size());
  for (const char* name : kTraces) groups.push_back(trace_group(folder, name));
  return groups;
}

}  // namespace bench
