// graphile-worker with a local queue and batched completion: prints jobs/s of the workers. The
// database by PGHOST, PGPORT, PGUSER, PGDATABASE.
import graphile from 'graphile-worker';
import pg from 'pg';

const count = Number(process.argv[2]);
const logger = new graphile.Logger(() => () => {});
const pgPool = new pg.Pool({ max: 12 });
const utils = await graphile.makeWorkerUtils({ pgPool, logger });
await utils.migrate();

async function fill(jobs) {
  for (let done = 0; done < jobs; done += 1000) {
    await pgPool.query(
      `select graphile_worker.add_jobs(array(select json_populate_record(null::graphile_worker.job_spec,
         json_build_object('identifier', 'noop', 'payload', json_build_object('i', g)))
         from generate_series(1, $1::int) g))`,
      [Math.min(1000, jobs - done)]);
  }
}

async function drain(jobs, worker) {
  let done = 0;
  let finished;
  const all = new Promise((resolve) => { finished = resolve; });
  const noop = async () => { if (++done === jobs) finished(); };
  const begin = performance.now();
  const runner = await graphile.run({
    pgPool, logger, noHandleSignals: true, taskList: { noop }, preset: { worker },
    concurrency: worker.concurrentJobs });
  await all;
  const seconds = (performance.now() - begin) / 1e3;
  await runner.stop();
  return jobs / seconds;
}

await fill(100);
await drain(100, { concurrentJobs: 4, pollInterval: 500 });
await fill(count);
const tuned = { concurrentJobs: 10, pollInterval: 500, localQueue: { size: 500 },
  completeJobBatchDelay: 0, failJobBatchDelay: 0 };
console.log((await drain(count, tuned)).toFixed(1));
process.exit(0);
