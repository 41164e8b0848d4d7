// pg-boss, two loops that fetch and complete 500 jobs at a time: prints jobs/s. The database by
// PGHOST, PGPORT, PGUSER, PGDATABASE.
import PgBoss from 'pg-boss';

const count = Number(process.argv[2]);
const boss = new PgBoss({ host: process.env.PGHOST, port: Number(process.env.PGPORT),
  user: process.env.PGUSER, database: process.env.PGDATABASE,
  supervise: false, schedule: false, max: 12 });
boss.on('error', (error) => { throw error; });
await boss.start();
await boss.createQueue('noop');
for (let done = 0; done < count; done += 1000) {
  await boss.insert(Array.from({ length: 1000 }, (_, i) => ({ name: 'noop', data: { i } })));
}
let completed = 0;
const begin = performance.now();
await Promise.all(Array.from({ length: 2 }, async () => {
  for (;;) {
    const jobs = await boss.fetch('noop', { batchSize: 500 });
    if (!jobs.length) return;
    await boss.complete('noop', jobs.map((job) => job.id));
    completed += jobs.length;
  }
}));
console.log((completed / (performance.now() - begin) * 1e3).toFixed(1));
process.exit(0);
