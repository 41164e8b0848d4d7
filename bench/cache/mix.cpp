// cache.mix10.*, cache.mixfit.*: gets and puts of one and of two threads, all contestants in turn.
#include <array>
#include <functional>
#include <memory>
#include <thread>

#include "cache/groups.hpp"
#include "cache/subject.hpp"
#include "cache/workload.hpp"
#include "harness/process.hpp"
#include "rivals/cache_floor.hpp"
#include "rivals/cache_list_lru.hpp"

namespace bench {
namespace {

constexpr std::size_t kKeys = 1'000'000;
using Operations = std::vector<Operation>;

struct Outcome {
  double ns = 0;
  double hit_ratio = 0;
};

struct Tally {
  std::uint64_t gets = 0;
  std::uint64_t hits = 0;
  std::uint64_t sum = 0;  // so that values are read
};

// Everything that is fixed before the clock runs.
struct Workload {
  explicit Workload(std::size_t operations)
      : keys(random_keys(kKeys, 1)), one{draw_operations(operations, kKeys, 11)} {
    two = {draw_operations(operations / 2, kKeys, 12), draw_operations(operations / 2, kKeys, 13)};
  }
  std::vector<CacheKey16> keys;
  std::string value = std::string(kCacheValue, 'v');
  std::vector<Operations> one;  // thread
  std::vector<Operations> two;  // threads
};

template <class Store>
Tally play(Store& store, const Workload& load, const Operations& operations, bool read_through) {
  Tally tally;
  for (const Operation operation : operations) {
    const CacheKey16& key = load.keys[operation.key];
    const std::uint32_t tenant = operation.key & 3;
    if (operation.put != 0) {
      store.put(tenant, key, load.value);
      continue;
    }
    ++tally.gets;
    if (store.get(tenant, key, tally.sum)) {
      ++tally.hits;
    } else if (read_through) {
      store.put(tenant, key, load.value);
    }
  }
  return tally;
}

template <class Store>
Outcome measure(Store& store, const Workload& load, const std::vector<Operations>& threads,
                bool read_through) {
  std::vector<Tally> tallies(threads.size());
  std::size_t operations = 0;
  const Cpu before = own_cpu();
  std::vector<std::thread> running;
  running.reserve(threads.size());
  for (std::size_t i = 0; i < threads.size(); ++i) {
    operations += threads[i].size();
    running.emplace_back([&, i] { tallies[i] = play(store, load, threads[i], read_through); });
  }
  for (std::thread& thread : running) thread.join();
  const double cpu = (own_cpu() - before).total;
  Tally sum;
  for (const Tally& tally : tallies) {
    sum.gets += tally.gets;
    sum.hits += tally.hits;
  }
  return {cpu * 1e9 / static_cast<double>(operations),
          static_cast<double>(sum.hits) / static_cast<double>(sum.gets)};
}

// One of those who take turns: filled once, then measured in every round.
struct Contestant {
  std::string name;
  std::function<Outcome(int threads)> run;
};

template <class Store, class... Arguments>
Contestant contestant(const std::string& name, std::shared_ptr<const Workload> load,
                      bool read_through, Arguments... arguments) {
  auto store = std::make_shared<Store>(arguments...);
  if constexpr (std::is_same_v<Store, FlatFloor>) {
    for (const CacheKey16& key : load->keys) store->fill(key, load->value);
  } else if (read_through) {
    play(*store, *load, load->one[0], true);
  } else {
    for (std::size_t i = 0; i < kKeys; ++i) {
      store->put(static_cast<std::uint32_t>(i & 3), load->keys[i], load->value);
    }
  }
  return {name, [=](int threads) {
            return measure(*store, *load, threads == 1 ? load->one : load->two, read_through);
          }};
}

// Room for so many entries; the Cache counts its overhead, too.
std::size_t our_bytes(std::size_t entries) {
  CacheSubject scale(std::size_t{1} << 20);
  scale.put(0, CacheKey16{}, std::string(kCacheValue, 'v'));
  return entries * scale.cache().snapshot().bytes;
}

struct Contest {
  std::string mix;
  bool read_through = false;
  std::size_t operations = 0;
  std::vector<Contestant> contestants{};
  std::size_t first = 0;

  void begin() {
    const auto load = std::make_shared<const Workload>(operations);
    const bool through = read_through;
    // RocksDB's shards fill unevenly: half as much again holds all keys.
    const std::size_t room = through ? kKeys / 10 : kKeys * 3 / 2;
    using Kind = RocksCache::Kind;
    contestants.push_back(
        contestant<CacheSubject>("ours", load, through, our_bytes(through ? room : kKeys * 9 / 8)));
    contestants.push_back(contestant<RocksCache>("hcc", load, through, Kind::hyper_clock, room));
    contestants.push_back(contestant<RocksCache>("rocks_lru", load, through, Kind::lru, room));
    contestants.push_back(contestant<ListLru>("list", load, through, through ? room : kKeys));
    if (!through) contestants.push_back(contestant<FlatFloor>("floor", load, through, kKeys));
  }

  void round(Sample& sample) {
    const std::string prefix = "cache." + mix + ".";
    for (const int threads : {1, 2}) {
      const std::string suffix = ".t" + std::to_string(threads);
      std::map<std::string, double> ns;
      for (std::size_t i = 0; i < contestants.size(); ++i) {
        const Contestant& one = contestants[(first + i) % contestants.size()];
        const Outcome outcome = one.run(threads);
        ns[one.name] = outcome.ns;
        sample.set(prefix + one.name + suffix + "_ns", outcome.ns);
        if (threads == 1) sample.set(prefix + one.name + ".hit_ratio", outcome.hit_ratio);
      }
      sample.set(prefix + "ratio_vs_hcc" + suffix, ns["ours"] / ns["hcc"]);
      if (!read_through) sample.set(prefix + "ratio_vs_floor" + suffix, ns["ours"] / ns["floor"]);
    }
    ++first;
  }
};

Group contest_group(const std::string& mix, bool read_through, double bar, const Options& options) {
  const std::size_t operations = options.quick ? 1'000'000 : 3'000'000;
  auto contest = std::make_shared<Contest>(Contest{mix, read_through, operations});
  Group group{.name = mix, .keys = {}, .round = {}};
  const std::string prefix = "cache." + mix + ".";
  for (const std::string threads : {"t1", "t2"}) {
    group.keys.push_back(
        {.name = prefix + "ratio_vs_hcc." + threads, .unit = "ratio", .at_most = bar});
    if (read_through) continue;
    group.keys.push_back(
        {.name = prefix + "ratio_vs_floor." + threads, .unit = "ratio", .at_most = 2.6});
  }
  for (const char* name : {"ours", "hcc", "rocks_lru", "list", "floor"}) {
    for (const char* threads : {".t1_ns", ".t2_ns"}) {
      group.keys.push_back({.name = prefix + name + threads, .unit = "ns CPU"});
    }
    group.keys.push_back({.name = prefix + name + ".hit_ratio", .unit = "ratio"});
  }
  group.begin = [contest] { contest->begin(); };
  group.round = [contest](Sample& sample) { contest->round(sample); };
  group.end = [contest] { contest->contestants.clear(); };
  return group;
}

}  // namespace

std::vector<Group> mix_groups(const Options& options) {
  return {contest_group("mix10", true, 0.75, options),
          contest_group("mixfit", false, 0.9, options)};
}

}  // namespace bench
