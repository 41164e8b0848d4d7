// AISERVE_AUTHORIZED is the service to start (server.cpp).

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { Issuer, makeKey } from './issuer.mjs';

const kAudience = 'https://classifier.example';
const issuer = new Issuer();
const keys = [makeKey('RS256', 'first'), makeKey('ES256', 'curve')];
let child;
let exited;
let url;

before(async () => {
  await issuer.start(keys);
  const { jwks_uri, introspection_endpoint } = issuer.metadata;
  const { client_id, client_secret } = issuer.service;
  child = spawn(process.env.AISERVE_AUTHORIZED,
    [issuer.url, kAudience, jwks_uri, introspection_endpoint, client_id, client_secret],
    { stdio: ['ignore', 'ignore', 'pipe'] });
  exited = once(child, 'exit').then(([status, signal]) => signal || status);
  for await (const line of createInterface({ input: child.stderr })) {
    const port = /"port":(\d+)/.exec(line);
    if (port) { url = `http://127.0.0.1:${port[1]}`; break; }
  }
  child.stderr.resume();
});
after(async () => {
  issuer.stop();
  child.kill('SIGTERM');
  assert.equal(await exited, 0);
});

const ask = (path, token) => fetch(url + path, { headers: { authorization: `Bearer ${token}` } });

// Until the service answers so: keys are fetched, and tokens expire, in their own time.
async function comesTo(status, path, token) {
  const end = Date.now() + 30_000;
  for (;;) {
    const answer = await ask(path, token);
    const said = await answer.text();
    if (answer.status === status) return said;
    assert.ok(Date.now() < end, `still ${answer.status}: ${said}`);
  }
}

test('tokens signed with RSA and with an elliptic curve are taken', async () => {
  for (const alg of ['RS256', 'ES256']) {
    const token = await issuer.token(kAudience, { alg });
    assert.equal(JSON.parse(atob(token.split('.')[0])).alg, alg);
    assert.equal(await comesTo(200, '/jwt', token), 'app may infer\n');
  }
});

test('a token for another service is refused, and so is one that was tampered with', async () => {
  const other = await ask('/jwt', await issuer.token('https://other.example', { alg: 'RS256' }));
  assert.equal(other.status, 401);
  assert.match(other.headers.get('www-authenticate'), /error="invalid_token"/);
  const [head, claims, signature] = (await issuer.token(kAudience, { alg: 'ES256' })).split('.');
  const forged = JSON.parse(Buffer.from(claims, 'base64url'));
  forged.sub = 'admin';
  const body = Buffer.from(JSON.stringify(forged)).toString('base64url');
  assert.equal((await ask('/jwt', `${head}.${body}.${signature}`)).status, 401);
  assert.equal((await ask('/jwt', `${head}.${claims}.`)).status, 401);
});

test('a token is taken until it expires', async () => {
  const token = await issuer.token(kAudience, { alg: 'RS256', lifetime: 2 });
  await comesTo(401, '/jwt', token);
});

test('a new key is taken without a restart, and a withdrawn one is not', async () => {
  const old = await issuer.token(kAudience, { alg: 'RS256' });
  await comesTo(200, '/jwt', old);
  const seen = issuer.downloads;
  issuer.rotate([makeKey('RS256', 'second'), keys[1]]);
  const fresh = await issuer.token(kAudience, { alg: 'RS256' });
  assert.equal(await comesTo(200, '/jwt', fresh), 'app may infer\n');
  assert.ok(issuer.downloads > seen);
  await comesTo(401, '/jwt', old);
});

test('the keys outlive an issuer that is down', async () => {
  const token = await issuer.token(kAudience, { alg: 'ES256' });
  const unseen = await issuer.token(kAudience, { alg: 'ES256' });
  await comesTo(200, '/jwt', token);
  issuer.down = true;
  try {
    assert.equal((await ask('/jwt', token)).status, 200);
    assert.equal((await ask('/jwt', unseen)).status, 200);
    assert.equal((await ask('/opaque', 'never-seen')).status, 503);
  } finally {
    issuer.down = false;
  }
  await comesTo(401, '/opaque', 'never-seen');
});

test('opaque tokens are asked about, and refused when they were revoked', async () => {
  const token = await issuer.token(kAudience);
  assert.ok(!token.includes('.'));
  assert.equal((await ask('/jwt', token)).status, 401);
  assert.equal(await comesTo(200, '/opaque', token), 'app may infer\n');
  await issuer.revoke(token);
  await comesTo(401, '/opaque', token);
  const other = await issuer.token('https://other.example');
  assert.equal((await ask('/opaque', other)).status, 401);
});
