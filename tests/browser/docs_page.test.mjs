// The documentation page of examples/05_typed_api as a person uses it.
//
// AISERVE_TYPED_API is the program to start; AISERVE_PICTURES a folder for pictures (default: none).

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { findChromium, findPlaywright, launchBrowser } from './setup.mjs';

const browserMissing = findPlaywright() && findChromium() ? false : 'SKIPPED: no browser';

describe('the page of an API', { skip: browserMissing }, () => {
  let child;
  let exited;
  let browser;
  let page;
  const troubles = [];
  const hosts = new Set();

  before(async () => {
    child = spawn(process.env.AISERVE_TYPED_API, ['0'], { stdio: ['ignore', 'ignore', 'pipe'] });
    exited = once(child, 'exit').then(([status, signal]) => signal || status);
    let url;
    for await (const line of createInterface({ input: child.stderr })) {
      const port = /"port":(\d+)/.exec(line);
      if (port) { url = `http://127.0.0.1:${port[1]}`; break; }
    }
    child.stderr.resume();
    browser = await launchBrowser();
    page = await browser.newPage({ viewport: { width: 1100, height: 1000 } });
    page.on('pageerror', (error) => troubles.push(String(error)));
    page.on('console', (message) => {
      if (/Content Security Policy/.test(message.text())) troubles.push(message.text());
    });
    page.on('request', (request) => {
      if (!request.url().startsWith('data:')) hosts.add(new URL(request.url()).origin);
    });
    await page.goto(url + '/docs');
    await page.waitForSelector('body[data-ready=yes]');
    assert.deepEqual([...hosts], [url]);
  });
  after(async () => {
    await browser?.close();
    child.kill('SIGTERM');
    assert.equal(await exited, 0);
  });

  const picture = async (name) => {
    const shot = await page.screenshot({ fullPage: true });
    assert.ok(shot.length > 10_000, 'the page is not empty');
    if (process.env.AISERVE_PICTURES) {
      await page.screenshot({ path: `${process.env.AISERVE_PICTURES}/${name}.png`, fullPage: true });
    }
  };
  const answer = async (id) => {
    const heading = page.locator(`#${id} .output h3`);
    await heading.waitFor();
    return { status: Number(await heading.getAttribute('data-status')),
      text: await page.locator(`#${id} .output pre`).innerText() };
  };

  test('it lists every operation with its rules', async () => {
    assert.equal(await page.title(), 'Pet shelter');
    assert.deepEqual(await page.locator('details > summary > code').allInnerTexts(),
      ['/v1/pets', '/v1/pets', '/v1/pets/{id}', '/v1/pets/{id}']);
    await page.click('#addPet summary');
    const text = await page.locator('#addPet').innerText();
    for (const part of ['Take in a pet', 'string, 1 to 40 characters', '"small", "medium", "large"', 'in kg',
      'above 0, below 500', 'matches ^[a-z]+$', '422']) {
      assert.ok(text.includes(part), `${part} in ${text}`);
    }
    await picture('docs_page');
  });

  test('without the token an answer is 401, with it a pet is taken in and found', async () => {
    await page.click('#addPet button');
    assert.equal((await answer('addPet')).status, 401);
    await page.fill('#auth input', 'biscuit');
    await page.fill('#addPet textarea', '{"name": "Rex", "species": {"kind": "dog", "trick": "<img src=x>"}}');
    await page.click('#addPet button');
    await page.waitForSelector('#addPet [data-status="201"]');
    assert.equal(JSON.parse((await answer('addPet')).text).species.trick, '<img src=x>');
    await page.click('#getPet summary');
    await page.fill('#getPet input[aria-label=id]', '1');
    await page.click('#getPet button');
    assert.equal(JSON.parse((await answer('getPet')).text).name, 'Rex');
    await picture('docs_page_answer');
  });

  test('what is refused is shown with its places, and a query is sent', async () => {
    await page.click('#listPets summary');
    await page.fill('#listPets input[aria-label=limit]', '1000');
    await page.click('#listPets button');
    const refused = await answer('listPets');
    assert.equal(refused.status, 422);
    assert.deepEqual(JSON.parse(refused.text).errors,
      [{ in: 'query', name: 'limit', detail: 'must be at most 100' }]);
  });

  test('the page ran under its own policy and without an error', () => {
    assert.deepEqual(troubles, []);
  });
});
