// What the browser test needs around it: a browser, and a service to look at.
//
// Environment
//   AISERVE_URL        look at this running service (or mock) and start nothing
//   AISERVE_SERVICE    else start this binary, with AISERVE_MODEL as its --model when set
//   AISERVE_CHROMIUM   the browser; default: the first chromium or chrome on the PATH

import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';

const kFlags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];

function executable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/// Path of a Chromium, or undefined.
export function findChromium() {
  if (process.env.AISERVE_CHROMIUM) return process.env.AISERVE_CHROMIUM;
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const folders = (process.env.PATH || '').split(delimiter);
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(executable);
}

/// playwright-core, or undefined where it is not installed.
export function findPlaywright() {
  try {
    return createRequire(import.meta.url)('playwright-core');
  } catch {
    return undefined;
  }
}

/// Why the test cannot run here, or undefined.
export function missing() {
  if (!findPlaywright()) return 'playwright-core is not installed (npm ci in tests/browser)';
  if (!findChromium()) return 'no chromium on the PATH (apt-get install chromium)';
  if (!process.env.AISERVE_URL && !process.env.AISERVE_SERVICE) return 'neither AISERVE_URL nor AISERVE_SERVICE is set';
  return undefined;
}

export const launchBrowser = () =>
  findPlaywright().chromium.launch({ executablePath: findChromium(), args: kFlags });

/// Starts the service under test. stop() ends it with SIGTERM and resolves to its exit status, or to
/// null when it was running already.
export async function startService() {
  if (process.env.AISERVE_URL) return { url: process.env.AISERVE_URL, stop: async () => null };
  const model = process.env.AISERVE_MODEL ? ['--model', process.env.AISERVE_MODEL] : [];
  const child = spawn(process.env.AISERVE_SERVICE, ['--port', '0', '--admin-port', '0', ...model],
    { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise((resolve) => child.once('exit', (status, signal) => resolve(signal || status)));
  const url = await Promise.race([
    listeningLine(child.stdout),
    exited.then((status) => { throw new Error(`the service ended at start with ${status}`); }),
  ]);
  return { url, stop() { child.kill('SIGTERM'); return exited; } };
}

async function listeningLine(output) {
  for await (const line of createInterface({ input: output })) {
    const match = /^aiserve: listening on (http:\/\/\S+)/.exec(line);
    if (match) {
      output.resume();  // never let it block on a full pipe
      return match[1];
    }
  }
  throw new Error('the service closed its output without saying where it listens');
}
