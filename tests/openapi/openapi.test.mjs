// AISERVE_TYPED_API is the example to start.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import SwaggerParser from '@apidevtools/swagger-parser';

const here = dirname(fileURLToPath(import.meta.url));
const bin = (name) => join(here, 'node_modules/.bin', name);
let child;
let exited;
let url;
let document;
let work;

before(async () => {
  child = spawn(process.env.AISERVE_TYPED_API, ['0'], { stdio: ['ignore', 'ignore', 'pipe'] });
  exited = once(child, 'exit').then(([status, signal]) => signal || status);
  for await (const line of createInterface({ input: child.stderr })) {
    const port = /"port":(\d+)/.exec(line);
    if (port) { url = `http://127.0.0.1:${port[1]}`; break; }
  }
  child.stderr.resume();
  document = await (await fetch(url + '/openapi.json')).json();
  work = mkdtempSync(join(tmpdir(), 'aiserve-openapi-'));
  symlinkSync(join(here, 'node_modules'), join(work, 'node_modules'));
});
after(async () => {
  rmSync(work, { recursive: true });
  child.kill('SIGTERM');
  assert.equal(await exited, 0);
});

test('the document is valid OpenAPI 3.1', async () => {
  assert.equal(document.openapi, '3.1.0');
  const api = await SwaggerParser.validate(structuredClone(document));
  assert.deepEqual(Object.keys(api.paths), ['/v1/pets', '/v1/pets/{id}']);
});

test('it tells what the handlers check', () => {
  const { NewPet, Species } = document.components.schemas;
  assert.deepEqual(NewPet.required, ['name', 'species']);
  assert.equal(NewPet.additionalProperties, false);
  assert.deepEqual(NewPet.properties.name,
    { type: 'string', minLength: 1, maxLength: 40, description: 'how it is called' });
  assert.equal(NewPet.properties.size.default, 'medium');
  assert.equal(NewPet.properties.tags.items.pattern, '^[a-z]+$');
  assert.deepEqual(Species.oneOf.map((one) => one.properties.kind.const), ['cat', 'dog']);
  const [tag, limit] = document.paths['/v1/pets'].get.parameters;
  assert.equal(tag.required, false);
  assert.deepEqual(limit.schema, { type: 'integer', minimum: 1, maximum: 100, default: 20 });
});

test('a client generated from it compiles and is served', () => {
  writeFileSync(join(work, 'openapi.json'), JSON.stringify(document));
  writeFileSync(join(work, 'package.json'), '{"type": "module"}');
  copyFileSync(join(here, 'client.ts'), join(work, 'client.ts'));
  const run = (name, ...args) => execFileSync(bin(name), args, { cwd: work, encoding: 'utf8' });
  run('openapi-typescript', 'openapi.json', '-o', 'api.d.ts', '--default-non-nullable', 'false');
  run('tsc', '--strict', '--skipLibCheck', '--target', 'es2022', '--module', 'nodenext', 'client.ts');
  const said = execFileSync(process.execPath, ['client.js', url], { cwd: work, encoding: 'utf8' });
  assert.match(said, /the client was served/);
});

test('a call that the document forbids does not compile', () => {
  writeFileSync(join(work, 'wrong.ts'), `import createClient from 'openapi-fetch';
import type { paths } from './api.js';
const api = createClient<paths>({ baseUrl: '' });
await api.POST('/v1/pets', { body: { name: 7, species: { kind: 'cow' } } });`);
  assert.throws(() => execFileSync(bin('tsc'),
    ['--strict', '--skipLibCheck', '--noEmit', '--target', 'es2022', '--module', 'nodenext', 'wrong.ts'],
    { cwd: work, encoding: 'utf8', stdio: 'pipe' }), (error) => /TS2322/.test(error.stdout));
});
