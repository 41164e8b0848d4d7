// WebSockets as two foreign clients see them: the npm package ws, and a browser.
//
// AISERVE_WEBSOCKET_SERVER is the server to start (websocket_server.cpp).

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import WebSocket from 'ws';
import { findChromium, findPlaywright, launchBrowser } from './setup.mjs';

async function startServer() {
  const child = spawn(process.env.AISERVE_WEBSOCKET_SERVER, { stdio: ['ignore', 'pipe', 'ignore'] });
  const exited = once(child, 'exit').then(([status, signal]) => signal || status);
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const url = line.replace(/^listening on /, '');
  return { url, ws: url.replace('http', 'ws'), stop() { child.kill('SIGTERM'); return exited; } };
}

let server;
before(async () => { server = await startServer(); });
after(async () => { assert.equal(await server.stop(), 0); });

async function connect(path, ...args) {
  const socket = new WebSocket(server.ws + path, ...args);
  // Listened for from the first byte on, so that nothing is missed between two awaits.
  socket.inbox = [];
  socket.on('message', (data, binary) => {
    socket.inbox.push({ data: binary ? data : data.toString(), binary });
    socket.emit('inbox');
  });
  socket.ended = new Promise((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  await once(socket, 'open');
  return socket;
}

async function hear(socket) {
  while (socket.inbox.length === 0) await once(socket, 'inbox');
  return socket.inbox.shift();
}

const refusal = (path, options) => new Promise((resolve, reject) => {
  const socket = new WebSocket(server.ws + path, options);
  socket.on('unexpected-response', (request, response) => { resolve(response); request.destroy(); });
  socket.on('open', () => reject(new Error('it was accepted')));
  socket.on('error', () => {});
});

describe('npm ws', () => {
  for (const path of ['/echo', '/coroutine', '/deflate', '/takeover']) {
    test(`${path} sends back text and binary of every size`, async () => {
      const socket = await connect(path);
      assert.equal(socket.extensions, /deflate|takeover/.test(path) ? 'permessage-deflate' : '');
      for (const size of [0, 1, 125, 126, 65535, 65536, 1000000]) {
        const text = 'é'.repeat(size / 2) + 'x'.repeat(size % 2);
        socket.send(text);
        assert.deepEqual(await hear(socket), { data: text, binary: false });
        const bytes = Buffer.alloc(size, 0xff);
        socket.send(bytes);
        assert.deepEqual(await hear(socket), { data: bytes, binary: true });
      }
      for (let i = 0; i < 1000; ++i) socket.send(`message ${i}`);
      for (let i = 0; i < 1000; ++i) assert.equal((await hear(socket)).data, `message ${i}`);
      socket.close(1000, 'bye');
      assert.deepEqual(await socket.ended, { code: 1000, reason: '' });
    });
  }

  test('fragments become one message, a ping between them is answered', async () => {
    const socket = await connect('/echo');
    socket.send('one ', { fin: false });
    socket.ping('still there?');
    const [payload] = await once(socket, 'pong');
    assert.equal(payload.toString(), 'still there?');
    socket.send('message', { fin: true });
    assert.equal((await hear(socket)).data, 'one message');
    socket.close(4000);
    assert.equal((await socket.ended).code, 4000);
  });

  test('subprotocol, close code and reason arrive', async () => {
    const socket = await connect('/protocol', ['v1', 'v2']);
    assert.equal(socket.protocol, 'v2');
    assert.equal((await hear(socket)).data, 'v2');
    assert.deepEqual(await socket.ended, { code: 4001, reason: 'that was all' });
  });

  test('a bad token, origin or version is refused before the upgrade', async () => {
    assert.equal((await refusal('/token', { headers: { Authorization: 'Bearer bad' } })).statusCode, 401);
    assert.equal((await refusal('/echo', { origin: 'http://evil.example' })).statusCode, 403);
    const version = await refusal('/echo', { protocolVersion: 8 });
    assert.equal(version.statusCode, 426);
    assert.equal(version.headers['sec-websocket-version'], '13');
    const socket = await connect('/token', { headers: { Authorization: 'Bearer good' } });
    socket.terminate();
  });

  test('text that is not UTF-8 ends the connection with 1007', async () => {
    const socket = await connect('/echo', { skipUTF8Validation: true });
    socket.send(Buffer.from([0xff]), { binary: false });
    assert.equal((await socket.ended).code, 1007);
  });

  test('what one follower of a topic sends reaches all', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => connect('/topic')));
    for (const socket of all) assert.equal((await hear(socket)).data, 'following');
    all[0].send('news');
    for (const socket of all) assert.equal((await hear(socket)).data, 'news');
    for (const socket of all) socket.close();
    for (const socket of all) await socket.ended;
  });

  test('a server that is told to end says 1001 and exits with 0', async () => {
    const other = await startServer();
    const socket = new WebSocket(other.ws + '/coroutine');
    const closed = once(socket, 'close');
    await once(socket, 'open');
    assert.equal(await other.stop(), 0);
    const [code, reason] = await closed;
    assert.equal(code, 1001);
    assert.equal(reason.toString(), 'the server is shutting down');
  });
});

const browserMissing = findPlaywright() && findChromium() ? false : 'SKIPPED: no browser';
describe('a browser', { skip: browserMissing }, () => {
  let browser;
  let page;
  before(async () => {
    browser = await launchBrowser();
    page = await browser.newPage();
    await page.goto(server.url);
  });
  after(() => browser.close());

  // Runs in the page: sends all, waits for as many messages, then closes.
  const exchange = (path, messages, protocols = []) => page.evaluate(
    ([url, list, names]) => new Promise((resolve, reject) => {
      const socket = new WebSocket(url, names);
      const result = { heard: [] };
      socket.onopen = () => {
        result.extensions = socket.extensions;
        result.protocol = socket.protocol;
        for (const text of list) socket.send(text);
      };
      socket.onmessage = (event) => {
        result.heard.push(event.data);
        if (list.length !== 0 && result.heard.length === list.length) socket.close(3000, 'done');
      };
      socket.onclose = (event) => resolve({
        ...result, code: event.code, reason: event.reason, clean: event.wasClean });
      setTimeout(() => reject(new Error('no answer')), 20000);
    }), [server.ws + path, messages, protocols]);

  for (const path of ['/echo', '/coroutine', '/deflate', '/takeover']) {
    test(`${path} sends back what the page sends`, async () => {
      const messages = ['hello', 'κόσμε 𝄞', '', 'x'.repeat(300000), 'x'.repeat(300000)];
      const result = await exchange(path, messages);
      assert.deepEqual(result.heard, messages);
      assert.equal(result.code, 3000);
      assert.equal(result.clean, true);
      assert.equal(result.extensions.startsWith('permessage-deflate'), /deflate|takeover/.test(path));
    });
  }

  test('subprotocol, code and reason reach the page', async () => {
    const result = await exchange('/protocol', [], ['v1', 'x']);
    assert.equal(result.protocol, 'v1');
    assert.deepEqual(result.heard, ['v1']);
    assert.equal(result.code, 4001);
    assert.equal(result.reason, 'that was all');
    assert.equal(result.clean, true);
  });

  test('a page of another origin may not connect', async () => {
    const foreign = await browser.newPage();
    await foreign.goto('data:text/html,<title>elsewhere');
    const code = await foreign.evaluate((url) => new Promise((resolve) => {
      const socket = new WebSocket(url);
      socket.onclose = (event) => resolve(event.code);
    }), server.ws + '/echo');
    assert.equal(code, 1006);
    await foreign.close();
  });
});
