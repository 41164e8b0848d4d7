// bench embed: what it costs a host to embed aiserve.
//
//   scripts/bench embed [--only REGEX] [--json FILE] [--quick]
//
// embed.hello_cpu_ratio_vs_asio   CPU to compile examples/01_hello/main.cpp at -O2, over the CPU to
//                                 compile a file that only includes boost/asio.hpp. Both compiled
//                                 one after the other in each round, ccache off. Bar 1.0.
// embed.hello_compile_s           the first of the two, in CPU seconds
// embed.start_ms                  fork to the last byte of the first answer of the hello server,
//                                 median of the starts of a round; no torch in it. Bar 50.
// embed.hello_kib                 the hello server's file, stripped; Release as built here
// embed.hop_ns_64                 CPU of the whole process per hop: a coroutine on the I/O thread
//                                 hands an operation to a worker thread, the worker completes it,
//                                 the coroutine goes on. 64 coroutines at it. Bar 1500.
// embed.hop_post_ns_64            the same, but the worker uses one asio::post to the caller's
//                                 any_io_executor per completion. Way there, coroutines and threads
//                                 are the same.
// embed.hop_ratio_vs_post         the first over the second, same round. Bar 0.6.
// embed.hop_wall_ns_64            time per hop. At the same CPU it says if the threads overlap.
// embed.hop_watched_ns_64         the hop under a new Context with a deadline, as a request has it
// embed.hop_batcher_ns_64         the hop through Batcher::infer: rows of 3 KB, gathered, scattered
//                                 and counted, and a model that computes nothing
//
// How the two threads of a hop fall in step (both awake, or taking turns to sleep) changes from
// start to start and moves the CPU by a factor of two. So a round is many short runs with threads
// of their own, the kinds taking turns, and adds their CPU up.
#include <array>

#include "embed/hello.hpp"
#include "embed/hop.hpp"
#include "harness/bench.hpp"

namespace {

using bench::HopCost;
using bench::HopKind;
using bench::Sample;

bench::Group compile_group() {
  return {.name = "compile",
          .keys = {{.name = "embed.hello_cpu_ratio_vs_asio", .unit = "ratio", .at_most = 1.0},
                   {.name = "embed.hello_compile_s", .unit = "s CPU"}},
          .round = [](Sample& sample) {
            const double hello = bench::compile_hello();
            sample.set("embed.hello_cpu_ratio_vs_asio", hello / bench::compile_only_asio());
            sample.set("embed.hello_compile_s", hello);
          }};
}

bench::Group program_group(const bench::Options& options) {
  const int starts = options.quick ? 10 : 50;
  return {.name = "program",
          .keys = {{.name = "embed.start_ms", .unit = "ms", .at_most = 50},
                   {.name = "embed.hello_kib", .unit = "KiB"}},
          .round = [starts](Sample& sample) {
            std::vector<double> took;
            for (int i = 0; i < starts; ++i) took.push_back(bench::start_hello());
            sample.set("embed.start_ms", bench::median(took));
            sample.set("embed.hello_kib", bench::stripped_kib());
          }};
}

struct Hops {
  HopKind kind;
  const char* key;
  HopCost sum{};
};

void hop_round(Sample& sample, int runs, std::uint64_t operations) {
  std::array<Hops, 4> all{{{HopKind::inbox, "embed.hop_ns_64"},
                           {HopKind::post, "embed.hop_post_ns_64"},
                           {HopKind::inbox_watched, "embed.hop_watched_ns_64"},
                           {HopKind::batcher, "embed.hop_batcher_ns_64"}}};
  for (int i = 0; i < runs; ++i) {
    for (Hops& hops : all) {
      const HopCost cost = bench::measure_hop(hops.kind, 64, operations);
      hops.sum.cpu_ns += cost.cpu_ns / runs;
      hops.sum.wall_ns += cost.wall_ns / runs;
    }
  }
  for (const Hops& hops : all) sample.set(hops.key, hops.sum.cpu_ns);
  sample.set("embed.hop_ratio_vs_post", all[0].sum.cpu_ns / all[1].sum.cpu_ns);
  sample.set("embed.hop_wall_ns_64", all[0].sum.wall_ns);
}

bench::Group hop_group(const bench::Options& options) {
  const int runs = options.quick ? 8 : 20;
  return {.name = "hop",
          .keys = {{.name = "embed.hop_ns_64", .unit = "ns CPU", .at_most = 1500},
                   {.name = "embed.hop_post_ns_64", .unit = "ns CPU"},
                   {.name = "embed.hop_ratio_vs_post", .unit = "ratio", .at_most = 0.6},
                   {.name = "embed.hop_wall_ns_64", .unit = "ns"},
                   {.name = "embed.hop_watched_ns_64", .unit = "ns CPU"},
                   {.name = "embed.hop_batcher_ns_64", .unit = "ns CPU"}},
          .round = [runs](Sample& sample) { hop_round(sample, runs, 200'000); }};
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options = bench::parse_options(argc, argv);
  return bench::run(options, {compile_group(), program_group(options), hop_group(options)});
}
