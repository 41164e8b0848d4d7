// bench cache: what a look-up costs, what is found, and what a noisy neighbour takes away.
//
//   scripts/bench cache [--only REGEX] [--json FILE] [--quick]
//
// The Cache runs as in a service: four tenants, each with a guarantee, a TTL, measured costs and
// statistics on. Rivals: RocksDB's HyperClockCache and LRUCache, a mutex around std::list and a map
// (list), and the floor: a flat table that is only read. Keys have exactly 16 bytes
// (HyperClockCache takes no other), values 256; Zipf 0.99 over a million keys, one operation in ten
// is a put. A hit reads one word of each line of the value. Contestants take turns within a round;
// CPU is that of the whole process.
//
// cache.mix10.*, cache.mixfit.*
//                  room for a tenth of the keys, and what is missed is put (mix10); room for all
//                  (mixfit). X.tN_ns: CPU per operation on N threads. ratio_vs_hcc.tN: ours /
//                  HyperClockCache; bars 0.75 and 0.9. ratio_vs_floor.tN: ours / the floor;
//                  bar 2.6. X.hit_ratio: of the gets, one thread
// cache.hit.TRACE.SIZE.*
//                  hit ratios on recorded traces with room for 1 % and 10 % of their keys. margin:
//                  ours minus the best of LRU, ARC, SIEVE, S3-FIFO and W-TinyLFU with a window of
//                  1 % (bench/rivals/cache_policies.cpp). Bar -0.02
// cache.neighbour.*
//                  a scanner with 40 % of the requests beside three tenants, 256 MiB. useful_gain:
//                  hit ratio of the three minus what one shared LRU gives them, bar 0.10.
//                  worst_loss: the largest loss of one of them against a quarter of its own, bar
//                  0.02
// cache.bytes_per_entry
//                  resident memory at a million entries minus keys and values. Bar 80
#include "cache/groups.hpp"
#include "harness/bench.hpp"

namespace {

void add(std::vector<bench::Group>& all, std::vector<bench::Group> more) {
  for (bench::Group& group : more) all.push_back(std::move(group));
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options = bench::parse_options(argc, argv, {"traces"});
  std::vector<bench::Group> groups;
  add(groups, bench::memory_groups(options));  // first: nothing else has touched the heap
  add(groups, bench::mix_groups(options));
  add(groups, bench::hit_groups(options));
  add(groups, bench::neighbour_groups(options));
  add(groups, bench::storm_groups(options));
  return bench::run(options, groups);
}
