// bench queue: what a durable job costs, how soon it starts, and what a flood does to others.
//
//   scripts/bench queue [--only REGEX] [--json FILE] [--quick]
//
// A JobQueue over SQLite with synchronous=FULL, in a folder of its own below TMPDIR; one process,
// as in a service. Floors: SQLite driven by hand on one thread with the same settings. An fsync
// swings with what else the disk does, so only ratios of one run compare.
//
// queue.sqlite.lifecycle_per_s
//                  jobs/s from enqueue to the recorded outcome of a handler that does nothing; 64
//                  producers, each waits for its acknowledgement. limit_per_s: the hand-written
//                  loop, one transaction = finish 64, insert 64, claim 64.
//                  lifecycle_ratio_vs_limit: bar 0.7
// queue.sqlite.enqueue_p50_vs_bare
//                  one producer: p50 of enqueue() / of one INSERT and COMMIT by hand. Bar 1.5
// queue.sqlite.pickup_ms_p50, pickup_ms_p99
//                  one job at a time, from the acknowledgement to the start of its handler. Bars
//                  1 and 5
// queue.sqlite.backlog_ratio
//                  jobs/s of the workers with a million waiting (--quick: 100k) / with a thousand.
//                  Bar 0.8
// queue.recover_after_kill_s
//                  a worker process killed with -9, lease 2 s: until another one has begun all
//                  that it had. Bar 3
// queue.fair.quiet_p99_ratio
//                  a tenant has 100k jobs waiting (--quick: 20k), another one submits 1,000, one
//                  every 10 ms, handlers take 1 ms, 4 slots: p99 of the wait of the second one /
//                  when it is alone. Bar 2
//
// queue.pg.jobs_per_s
//                  PostgreSQL on a socket of this machine, fsync on: jobs/s of the workers, from
//                  claim to the recorded outcome, 20k waiting
// queue.pg.lifecycle_per_s
//                  as sqlite's
// queue.pg.pickup_ms_p50, pickup_ms_p99
//                  as sqlite's. Bars 5 and 20
// queue.pg.backlog_ratio
//                  as sqlite's. Bar 0.8
// queue.pg.held_snapshot_ratio
//                  jobs/s of the workers while a transaction holds a snapshot from before 25k jobs,
//                  which left 50k dead rows / without one. Bar 0.5
//
// Rivals, each with its best sensible settings; jobs/s of the workers with 20k waiting (--quick:
// 5k), ours over theirs in the same round. What is not installed is left out by name.
// queue.sqlite.ratio_vs_bullmq_aof
//                  BullMQ, 50 slots, Redis with appendfsync always. Bar 5
// queue.pg.ratio_vs_graphile_tuned, ratio_vs_pgboss_batched
//                  graphile-worker with a local queue of 500 and batched completion, and pg-boss by
//                  500, on the same server. Bar of the first: 1
// queue.pg.ratio_vs_celery
//                  Celery, two prefork processes, acks late, Redis in memory. Bar 8
#include "harness/bench.hpp"
#include "queue/groups.hpp"

int main(int argc, char** argv) {
  const bench::Options options = bench::parse_options(argc, argv);
  std::vector<bench::Group> groups;
  groups.push_back(bench::recover_group(options));  // first: it forks, before there are threads
  groups.push_back(bench::lifecycle_group(options));
  groups.push_back(bench::enqueue_group(options));
  groups.push_back(bench::pickup_group(options));
  groups.push_back(bench::backlog_group(options));
  groups.push_back(bench::fair_group(options));
#ifdef AISERVE_POSTGRES
  for (bench::Group& group : bench::postgres_groups(options)) groups.push_back(std::move(group));
  for (bench::Group& group : bench::rival_groups(options)) groups.push_back(std::move(group));
#endif
  return bench::run(options, groups);
}
