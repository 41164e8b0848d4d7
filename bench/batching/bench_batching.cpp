// bench batching: what the Batcher costs, what it gains, and what its rivals make of the same load.
//
//   scripts/bench batching [--only REGEX] [--json FILE] [--quick]
//
// Load and subject share one process; the Batcher has one I/O thread and one instance unless said
// otherwise. Models: `spin` keeps its core busy by CPU time, a + b * rows; mlp, convolutions and
// encoder are real architectures with random weights, made when needed; fashion is the demo's model
// (scripts/bench trains it when it is not there; by hand: bench_batching --model FASHION.pt) over
// the held-out images. All on OpenBLAS, one thread per instance. Open loops are Poisson and prove
// that they reached their rate (bench/tuner/send_proof.hpp). Rivals are other decision functions in
// the same engine (bench/rivals/policies.hpp): no batching, and fixed windows of 1, 2 and 5 ms.
// Contestants of a ratio take turns within every round.
//
// null.cpu_ns_per_request     CPU of the process per request: co_await infer, model that computes
//                             nothing, rows of 3 KB, 64 in flight. Bar 1500.
// null.policy_ns              of it, admission + decision + taking out: one thread, no lock, 64
//                             waiting. Bar 150. policy_4096_ns: with 4096 waiting
// scaling.cpu_ratio           CPU per request with 4096 in flight / with 64; rows of 64 bytes.
//                             Bar 1.2
// closed1.added_vs_handoff    one request at a time, model of 300 us: what the Batcher adds to the
//                             call / what two plain thread hand-overs add. Bar 1.3
// closed1.spin_added_us      the same with RuntimeOptions::spin of 1 ms. Bar 5
// mlp.saturation_ratio, fashion.saturation_ratio
//                             512 in flight, rows/s / those of the module called in a loop at its
//                             best batch. Bar 0.95. ..._direct_batch is that batch
// harmful.ratio               models that batching hurts: Batcher with max_batch 32 / with 1, the
//                             worse of convolutions and encoder. Bar 0.97
// poissonN.p50_ratio, p99_ratio
//                             spin(400 us + 40 us), N % of saturation: ours / the best of no
//                             batching and the windows. Bar 1.05. RIVAL_p50_ms, ... what each had
// overload15, overload30      1.5 and 3 times saturation, deadlines of 100 ms: goodput / its peak
//                             (bar 0.9); reject_ms_p99, how long a refusal takes (bar 10)
// goal10, goal20, goal50      a latency goal in ms, 1.3 times saturation: p99_ratio = p99 / goal
//                             (bar 1.0), throughput_ratio = throughput / that of the best setting
//                             swept by hand that keeps the goal (bar 0.9)
// tenants.share_error         a flood of 10 : 1 beyond saturation, equal weights and 1 : 3: largest
//                             difference between share and fair share. Bar 0.05
// tenants.quiet_p99_ratio     a quiet tenant's p99 beside a flood / alone. Bar 2
// mixed.throughput_ratio      sequences of 8 to 128: highest rate with p99 within 50 ms, padding in
//                             buckets / breaking batches at mismatches. Bar 1.5. padding_waste is
//                             the share of tokens computed that were padding
// cancel.computed             of 900 of 1000 waiting requests that were cancelled, how many were
//                             computed. Bar 0
// fashion.closed64_*, closed1_*   64 and 1 in flight against the direct loop.
//                             closed1_in_model_us: of it in the model, which is slower on a thread
//                             that has just been woken than in a loop that never sleeps
// fastapi.*                   FastAPI + asyncio micro-batcher over the same MLP and JSON
#include "batching/groups.hpp"
#include "harness/bench.hpp"

namespace {

void add(std::vector<bench::Group>& all, std::vector<bench::Group> more) {
  for (bench::Group& group : more) all.push_back(std::move(group));
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options = bench::parse_options(argc, argv, {"model"});
  std::vector<bench::Group> groups;
  add(groups, bench::null_groups(options));
  add(groups, bench::handoff_groups(options));
  add(groups, bench::poisson_groups(options));
  add(groups, bench::overload_groups(options));
  add(groups, bench::goal_groups(options));
  add(groups, bench::tenant_groups(options));
  add(groups, bench::mixed_groups(options));
  add(groups, bench::cancel_groups(options));
#ifdef BENCH_WITH_TORCH
  const auto model = options.extra.find("model");
  add(groups, bench::saturation_groups(options, model == options.extra.end() ? "" : model->second));
  add(groups, bench::harmful_groups(options));
  add(groups, bench::fastapi_groups(options));
#else
  bench::leave_out("batching.mlp, fashion, harmful, fastapi", "built without libtorch");
#endif
  return bench::run(options, groups);
}
