// bench batching: what the Batcher costs and what it gains.
//
//   scripts/bench batching [--only REGEX] [--json FILE] [--quick]
//
// The model of batching.fashion.* is the demo's, trained on Fashion-MNIST (scripts/bench trains it
// when it is not there; by hand: bench_batching --model FASHION.pt); the images are the held-out
// ones. One thread per instance, OpenBLAS. The load is coroutines on the one I/O thread of the same
// process; the floor is the same TorchScript module called in a loop on images that lie ready in
// one block, on as many threads as there are instances. Floor and Batcher take turns of 0.4 s.
//
// batching.fashion.closed64_ratio   samples/s through the Batcher (max_batch 64, one instance), 64
//                                   requests in flight, over those of the direct loop at whatever
//                                   batch it is fastest (powers of two to 256). Bar 0.9.
//   _per_s, _direct_per_s, _direct_batch, _mean_batch, _p50_ms, _p99_ms    what lies behind it
// batching.fashion.closed64.instances2_*   the same with two instances, two direct threads
// batching.fashion.closed1_added_us  median latency at 1 in flight minus the median direct call of
//                                   one image: two thread hand-overs, checks, metrics. Bar 30.
// batching.null.cpu_ns_per_request  CPU of the process per request: 64 in flight, rows of 3 KB, one
//                                   instance of a model that computes nothing
// batching.null.wall_ns_per_request the time of it
#include "embed/hop.hpp"
#include "harness/bench.hpp"

#ifdef BENCH_WITH_TORCH
#include "batching/fashion.hpp"
#endif

namespace {

bench::Group null_group(const bench::Options& options) {
  const int runs = options.quick ? 8 : 20;
  return {.name = "batching.null",
          .keys = {{.name = "batching.null.cpu_ns_per_request", .unit = "ns CPU"},
                   {.name = "batching.null.wall_ns_per_request", .unit = "ns"}},
          .round = [runs](bench::Sample& sample) {
            bench::HopCost sum;
            for (int i = 0; i < runs; ++i) {
              const auto cost = bench::measure_hop(bench::HopKind::batcher, 64, 200'000);
              sum.cpu_ns += cost.cpu_ns / runs;
              sum.wall_ns += cost.wall_ns / runs;
            }
            sample.set("batching.null.cpu_ns_per_request", sum.cpu_ns);
            sample.set("batching.null.wall_ns_per_request", sum.wall_ns);
          }};
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options = bench::parse_options(argc, argv, {"model"});
  std::vector<bench::Group> groups{null_group(options)};
  const auto model = options.extra.find("model");
#ifdef BENCH_WITH_TORCH
  if (model != options.extra.end()) {
    for (bench::Group& group : bench::fashion_groups(options, model->second)) {
      groups.push_back(std::move(group));
    }
  } else {
    bench::leave_out("batching.fashion.*", "no --model given");
  }
#else
  static_cast<void>(model);
  bench::leave_out("batching.fashion.*", "built without libtorch");
#endif
  return bench::run(options, groups);
}
