// A stand-in for the reference service while working on its page: the same HTTP contract, the page
// served from the source tree, a small simulated batcher. Its answers are NOT the model's: they come
// from the distance to each class's mean image, and its timings are made up. Without the Fashion-MNIST
// files it invents images.
//
//   node mock.mjs [--port N]     prints "aiserve: listening on http://127.0.0.1:PORT/ (mock)"

import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';

const kPage = join(dirname(fileURLToPath(import.meta.url)), '../../examples/service/page');
const kData = '/usr/share/datasets/fashion-mnist';
const kClasses = ['T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat', 'Sandal', 'Shirt', 'Sneaker',
  'Bag', 'Ankle boot'];
const kPixels = 784;
const kMaxBatch = 64;
const kInstances = 2;
const kQueueLimit = 1024;

function loadImages() {
  if (!existsSync(kData)) return inventImages(10000);
  const read = (name) => gunzipSync(readFileSync(join(kData, name)));
  return {
    labels: read('t10k-labels-idx1-ubyte.gz').subarray(8),
    pixels: read('t10k-images-idx3-ubyte.gz').subarray(16),
  };
}

function inventImages(count) {
  const labels = Uint8Array.from({ length: count }, (_, i) => (i * 7) % 10);
  const pixels = new Uint8Array(count * kPixels);
  for (let i = 0; i < pixels.length; ++i) {
    const [row, column] = [Math.floor((i % kPixels) / 28), i % 28];
    const label = labels[Math.floor(i / kPixels)];
    const inside = Math.hypot(row - 14, (column - 14) * (0.6 + label * 0.15)) < 7 + (label % 4);
    pixels[i] = inside ? 150 + ((i * 31) % 90) : 0;
  }
  return { labels, pixels };
}

const images = loadImages();
const total = images.labels.length;
const imageAt = (i) => images.pixels.subarray(i * kPixels, (i + 1) * kPixels);

const means = kClasses.map(() => new Float64Array(kPixels));
for (let i = 0; i < total; ++i) {
  const mean = means[images.labels[i]];
  const image = imageAt(i);
  for (let p = 0; p < kPixels; ++p) mean[p] += image[p] * 10 / total;
}

function infer(pixels) {
  const distance = means.map((mean) => {
    let sum = 0;
    for (let p = 0; p < kPixels; ++p) sum += (pixels[p] - mean[p]) ** 2;
    return sum / kPixels;
  });
  const nearest = Math.min(...distance);
  const weights = distance.map((d) => Math.exp((nearest - d) / 350));
  const sum = weights.reduce((a, b) => a + b);
  const probabilities = weights.map((weight) => weight / sum);
  return { label: probabilities.indexOf(Math.max(...probabilities)), probabilities };
}
const predicted = Uint8Array.from({ length: total }, (_, i) => infer(imageAt(i)).label);
const kAccuracy = predicted.filter((label, i) => label === images.labels[i]).length / total;

// ---- the simulated batcher: a free instance takes what waits, up to the largest batch

const batcher = { queue: [], free: kInstances, batches: 0, inFlight: 0 };
const now = () => performance.now();

function submit(payload) {
  if (batcher.queue.length >= kQueueLimit) return Promise.resolve(null);
  ++batcher.inFlight;
  const done = new Promise((resolve) => batcher.queue.push({ payload, resolve, at: now() }));
  if (batcher.free > 0) setImmediate(dispatch);
  return done;
}

function dispatch() {
  while (batcher.free > 0 && batcher.queue.length > 0) {
    const batch = batcher.queue.splice(0, kMaxBatch);
    --batcher.free;
    const started = now();
    setTimeout(() => finish(batch, started), 1.5 + 0.03 * batch.length);
  }
}

function finish(batch, started) {
  const id = ++batcher.batches;
  const ended = now();
  ++batcher.free;
  batcher.inFlight -= batch.length;
  record(batch, started, ended);
  batch.forEach((entry, position) => entry.resolve({
    timings: {
      queue_us: Math.round((started - entry.at) * 1e3),
      compute_us: Math.round((ended - started) * 1e3),
      total_us: Math.round((now() - entry.at) * 1e3) + 20,
    },
    batch: { id, size: batch.length, position, reason: batch.length === kMaxBatch ? 'full' : 'idle' },
  }));
  dispatch();
}

// ---- statistics, every 250 ms to everybody who listens

const listeners = new Set();
let interval = { latency: [], queue: [], compute: [], batches: new Map() };

function record(batch, started, ended) {
  interval.batches.set(batch.length, (interval.batches.get(batch.length) || 0) + 1);
  for (const entry of batch) {
    interval.latency.push(ended - entry.at);
    interval.queue.push(started - entry.at);
    interval.compute.push(ended - started);
  }
}

function percentiles(values, names) {
  const sorted = values.sort((a, b) => a - b);
  const at = (share) => (sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] : 0);
  return Object.fromEntries(names.map((name) => [name, Number(at(Number(name.slice(1)) / 100).toFixed(3))]));
}

function tell(event, data) {
  for (const response of listeners) response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

function tick() {
  const { latency, queue, compute, batches } = interval;
  const count = latency.length;
  const ran = [...batches.values()].reduce((a, b) => a + b, 0);
  interval = { latency: [], queue: [], compute: [], batches: new Map() };
  tell('stats', {
    requests_per_s: count * 4, in_flight: batcher.inFlight, queue_depth: batcher.queue.length,
    mean_batch: ran ? count / ran : 0, batches: [...batches],
    latency_ms: percentiles(latency, ['p50', 'p95', 'p99']),
    queue_ms: percentiles(queue, ['p50', 'p99']), compute_ms: percentiles(compute, ['p50', 'p99']),
  });
  if (run && run.state === 'running') tell('fire', report(run));
}

// ---- firing the held-out set

let run = null;
let runs = 0;

const report = (r) => ({
  id: r.id, state: r.state, done: r.done, total: r.total, correct: r.correct,
  accuracy: r.done ? r.correct / r.done : 0, concurrency: r.concurrency,
  per_s: r.done / Math.max(1e-3, (now() - r.started) / 1e3),
  mean_batch: r.done ? r.done / r.weight : 0, elapsed_ms: Math.round(now() - r.started),
});

async function fire(r) {
  let next = 0;
  const lane = async () => {
    while (next < r.total && !r.cancelled) {
      const i = next++;
      const { batch } = await submit(i);
      ++r.done;
      r.weight += 1 / batch.size;
      if (predicted[i] === images.labels[i]) ++r.correct;
    }
  };
  await Promise.all(Array.from({ length: Math.min(r.concurrency, r.total) }, lane));
  r.state = r.cancelled ? 'cancelled' : 'done';
  tell('fire', report(r));
}

// ---- HTTP

const kTypes = { html: 'text/html; charset=utf-8', css: 'text/css; charset=utf-8', js: 'text/javascript; charset=utf-8' };

function json(response, status, body, headers = {}) {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

function problem(response, status, title, detail, headers = {}) {
  json(response, status, { type: 'about:blank', title, status, detail, request_id: randomUUID() },
    { 'Content-Type': 'application/problem+json', ...headers });
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function classify(request, response) {
  const body = await bodyOf(request);
  let pixels = body;
  if (request.headers['content-type'] === 'application/json') {
    try { pixels = JSON.parse(body).pixels; } catch { return problem(response, 400, 'Malformed', 'not JSON'); }
  }
  if (!pixels || pixels.length !== kPixels) {
    return problem(response, 422, 'Invalid argument', 'expected 784 pixels');
  }
  const ran = await submit(pixels);
  if (!ran) return problem(response, 503, 'Overloaded', 'the queue is full', { 'Retry-After': '1' });
  const { label, probabilities } = infer(pixels);
  return json(response, 200, { label, class: kClasses[label], probabilities, ...ran, request_id: randomUUID() });
}

async function startFire(request, response) {
  let wanted = {};
  try { wanted = JSON.parse(await bodyOf(request)); } catch { return problem(response, 400, 'Malformed', 'not JSON'); }
  const within = (value, high) => Number.isInteger(value) && value >= 1 && value <= high;
  if (!within(wanted.concurrency, 1024)) return problem(response, 422, 'Invalid argument', 'concurrency: 1 to 1024');
  if (!within(wanted.count, total)) return problem(response, 422, 'Invalid argument', `count: 1 to ${total}`);
  if (run && run.state === 'running') return problem(response, 409, 'Conflict', 'a run is in progress');
  run = { id: ++runs, state: 'running', done: 0, correct: 0, weight: 0, total: wanted.count,
    concurrency: wanted.concurrency, started: now(), cancelled: false };
  fire(run);
  return json(response, 202, { id: run.id });
}

function holdout(url, response) {
  const offset = Number(url.searchParams.get('offset') || 0);
  const count = Math.min(Number(url.searchParams.get('count') || 120), total - offset);
  if (!(offset >= 0 && offset < total)) return problem(response, 422, 'Invalid argument', 'offset out of range');
  const records = Array.from({ length: count }, (_, i) => [
    images.labels.subarray(offset + i, offset + i + 1), imageAt(offset + i)]).flat();
  response.writeHead(200, { 'Content-Type': 'application/octet-stream', 'X-Total-Count': total });
  return response.end(Buffer.concat(records));
}

function stream(response) {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  listeners.add(response);
  response.on('close', () => listeners.delete(response));
}

function asset(path, response) {
  const name = path === '/' ? 'index.html' : path.slice(1);
  if (!['index.html', 'app.css', 'app.js'].includes(name)) return problem(response, 404, 'Not found', path);
  response.writeHead(200, {
    'Content-Type': kTypes[name.split('.').pop()], 'Content-Security-Policy': "default-src 'self'",
  });
  return response.end(readFileSync(join(kPage, name)));
}

const kInfo = {
  version: '0.1.0', commit: 'mock', classes: kClasses, instances: kInstances, max_batch: kMaxBatch,
  blas: 'none (mock)',
  model: { path: 'mock', sha256: '0'.repeat(64), accuracy: kAccuracy, trained_images: 60000, held_out: total },
};

function route(request, response) {
  const url = new URL(request.url, 'http://127.0.0.1');
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /v1/info': return json(response, 200, kInfo);
    case 'GET /v1/holdout': return holdout(url, response);
    case 'GET /v1/stream': return stream(response);
    case 'POST /v1/fashion': return classify(request, response);
    case 'POST /v1/fire': return startFire(request, response);
    case 'DELETE /v1/fire':
      if (run) run.cancelled = true;
      return response.writeHead(204).end();
    case 'GET /favicon.ico': return response.writeHead(204).end();
    case 'GET /health/live':
    case 'GET /health/ready': return json(response, 200, { ready: true });
    default: return asset(url.pathname, response);
  }
}

/// Starts the mock; resolves to {url, close}.
export function startMock(port = 0) {
  const server = createServer(route);
  const ticker = setInterval(tick, 250);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve({
      url: `http://127.0.0.1:${server.address().port}/`,
      close() {
        clearInterval(ticker);
        server.closeAllConnections();
        server.close();
      },
    }));
  });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const at = process.argv.indexOf('--port');
  const { url } = await startMock(at > 0 ? Number(process.argv[at + 1]) : 0);
  console.log(`aiserve: listening on ${url} (mock)`);
}
