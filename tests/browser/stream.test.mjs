// The example 04_stream as npm's ws and a browser see it.
//
// AISERVE_STREAM is the example's program.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import WebSocket from 'ws';
import { findChromium, findPlaywright, launchBrowser } from './setup.mjs';

let host;
let stop;
before(async () => {
  const child = spawn(process.env.AISERVE_STREAM, ['0'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit').then(([status, signal]) => signal || status);
  stop = () => { child.kill('SIGTERM'); return exited; };
  for await (const line of createInterface({ input: child.stderr })) {
    const said = JSON.parse(line);
    if (said.msg !== 'http: listening') continue;
    host = `127.0.0.1:${said.port}`;
    break;
  }
  child.stderr.resume();
});
after(async () => { assert.equal(await stop(), 0); });

test('npm ws: ticks come by themselves, numbers come back doubled', async () => {
  const socket = new WebSocket(`ws://${host}/v1/live`);
  const heard = [];
  socket.on('message', (data) => { heard.push(JSON.parse(data)); socket.emit('heard'); });
  const hear = async (wanted) => {
    while (!heard.some(wanted)) await once(socket, 'heard');
    return heard.find(wanted);
  };
  await once(socket, 'open');
  assert.equal((await hear((said) => 'computed' in said)).computed, 0);
  socket.send('21');
  assert.equal((await hear((said) => 'doubled' in said)).doubled, 42);
  await hear((said) => said.computed === 1);
  socket.close(1000);
  const [code] = await once(socket, 'close');
  assert.equal(code, 1000);
});

const browserMissing = findPlaywright() && findChromium() ? false : 'SKIPPED: no browser';
describe('a browser', { skip: browserMissing }, () => {
  let browser;
  let page;
  before(async () => {
    browser = await launchBrowser();
    page = await browser.newPage();
    await page.goto(`http://${host}/`);
  });
  after(() => browser.close());

  test('shows the ticks of both kinds', async () => {
    await page.locator('#ticks', { hasText: '"computed":1' }).waitFor();
    await page.locator('#live', { hasText: '"computed":1' }).waitFor();
  });

  test('doubles a number, and says when it is none', async () => {
    await page.locator('#number').fill('-1.5');
    await page.locator('#number').press('Enter');
    await page.locator('#doubled', { hasText: '-3' }).waitFor();
    await page.locator('#number').fill('x');
    await page.locator('#number').press('Enter');
    await page.locator('#doubled', { hasText: 'no number' }).waitFor();
  });
});
