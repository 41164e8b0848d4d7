// BullMQ, one worker with 50 slots: prints jobs/s. Redis by REDIS_PORT.
import { Queue, Worker } from 'bullmq';

const count = Number(process.argv[2]);
const connection = { host: '127.0.0.1', port: Number(process.env.REDIS_PORT),
  maxRetriesPerRequest: null };
const queue = new Queue('noop', { connection });
await queue.obliterate({ force: true });
for (let done = 0; done < count; done += 500) {
  await queue.addBulk(Array.from({ length: 500 }, (_, i) =>
    ({ name: 'noop', data: { i }, opts: { removeOnComplete: true } })));
}
let completed = 0;
let finished;
const all = new Promise((resolve) => { finished = resolve; });
const begin = performance.now();
const worker = new Worker('noop', async () => { if (++completed === count) finished(); },
  { connection, concurrency: 50 });
await all;
console.log((count / (performance.now() - begin) * 1e3).toFixed(1));
await worker.close();
await queue.close();
process.exit(0);
