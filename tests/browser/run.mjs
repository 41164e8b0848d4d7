// Runs the browser test of the reference service's page.
//
//   node run.mjs [--mock] [--update-docs]
//
// --mock         against mock.mjs instead of a real service (for work on the page)
// --update-docs  writes the screenshots to docs/images instead of a temporary folder
//
// Installs playwright-core with npm when it is not there. Says SKIPPED and exits with 77 where npm or
// a browser is missing. For the environment see setup.mjs; AISERVE_SCREENSHOTS names another folder.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findPlaywright, missing } from './setup.mjs';

const kHere = dirname(fileURLToPath(import.meta.url));
const kSkipped = 77;

function skip(reason) {
  console.log(`SKIPPED: browser test: ${reason}`);
  process.exit(kSkipped);
}

function install() {
  const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'],
    { cwd: kHere, encoding: 'utf8' });
  if (npm.error) skip('npm is missing');
  if (npm.status !== 0) skip(`npm could not install playwright-core: ${npm.stderr.trim().split('\n').pop()}`);
}

const options = new Set(process.argv.slice(2));
const unknown = [...options].find((option) => !['--mock', '--update-docs'].includes(option));
if (unknown) {
  console.error(`run.mjs: unknown option ${unknown}; known: --mock --update-docs`);
  process.exit(2);
}

let mock;
if (options.has('--mock')) {
  const { startMock } = await import('./mock.mjs');
  mock = await startMock();
  process.env.AISERVE_URL = mock.url;
}
if (!findPlaywright()) install();
const reason = missing();
if (reason) skip(reason);

process.env.AISERVE_SCREENSHOTS = options.has('--update-docs') ? join(kHere, '../../docs/images')
  : process.env.AISERVE_SCREENSHOTS || mkdtempSync(join(tmpdir(), 'aiserve-page-'));
console.log(`screenshots: ${process.env.AISERVE_SCREENSHOTS}`);

// Not spawnSync: the mock answers from this process.
const test = spawn(process.execPath, ['--test', join(kHere, 'page.test.mjs')], { stdio: 'inherit' });
test.once('exit', (status) => {
  if (mock) mock.close();
  process.exit(status === null ? 1 : status);
});
