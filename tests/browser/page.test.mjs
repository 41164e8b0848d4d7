// The reference service's page in a real browser: clicks, draws, fires the held-out set, breaks the
// network, and compares what is shown with what the service answered.
// Run it with run.mjs, or with `node --test` in the environment that setup.mjs describes.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { launchBrowser, missing, startService } from './setup.mjs';

const kPixels = 784;
const kDesktop = { width: 1280, height: 900 };
const kPhone = { width: 390, height: 844 };
const kPolicy = "default-src 'self'";
const screenshots = process.env.AISERVE_SCREENSHOTS || join(tmpdir(), 'aiserve-page');

const reason = missing();
if (reason) console.log(`SKIPPED: browser test: ${reason}`);

let browser;
let service;
let info;

/// Opens the page in a fresh browser context and waits until it is live. Serves it under the strict
/// content security policy whatever the service sends, and collects what the console complains about.
async function open(t, { viewport = kDesktop, ...options } = {}) {
  const context = await browser.newContext({ viewport, ...options });
  t.after(() => context.close());
  const page = await context.newPage();
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    const icon = message.location().url.endsWith('/favicon.ico');
    if (['error', 'warning'].includes(message.type()) && !icon) complaints.push(message.text());
  });
  await page.route((url) => url.pathname === '/', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, headers: { ...response.headers(), 'content-security-policy': kPolicy } });
  });
  await page.goto(service.url);
  await live(page);
  await page.locator('#tiles[aria-busy="false"]').waitFor();
  return { page, context, complaints };
}

const live = (page) => page.locator('#connection[data-state="live"]').waitFor();
const text = (page, selector) => page.locator(selector).textContent();
const figure = async (page, selector) => Number.parseFloat((await text(page, selector)).replaceAll(',', ''));
const isClassify = (response) => new URL(response.url()).pathname === '/v1/fashion';

/// Does something that makes the page ask, and returns {sent, answer}: the pixels and the reply.
async function asking(page, action) {
  const [response] = await Promise.all([page.waitForResponse(isClassify), action()]);
  assert.equal(response.status(), 200);
  const answer = await response.json();
  await page.locator('#request-id', { hasText: answer.request_id }).waitFor();
  return { sent: response.request().postDataBuffer(), answer };
}

/// What is on screen is what the service answered.
async function assertShows(page, answer) {
  const sum = answer.probabilities.reduce((a, b) => a + b, 0);
  assert.equal(answer.probabilities.length, 10);
  assert.ok(Math.abs(sum - 1) < 1e-3, `probabilities sum to ${sum}`);
  assert.equal(answer.probabilities.indexOf(Math.max(...answer.probabilities)), answer.label);
  assert.equal(answer.class, info.classes[answer.label]);

  assert.equal(await text(page, '#answer-class'), answer.class);
  const shown = (await page.locator('#bars .value').allTextContents()).map(Number.parseFloat);
  shown.forEach((value, i) => assert.ok(Math.abs(value - 100 * answer.probabilities[i]) <= 0.051));
  assert.equal(await text(page, '#bars li.top .name'), answer.class);

  const { batch, timings } = answer;
  assert.ok(batch.position >= 0 && batch.position < batch.size && batch.size <= info.max_batch);
  assert.equal(await page.locator('#batch-size').getAttribute('data-size'), String(batch.size));
  assert.equal(await page.locator('#seats .own').count(), 1);
  assert.equal(await page.locator('#seats .taken').count(), batch.size - 1);
  assert.ok((await text(page, '#batch-reason')).length > 0);
  assert.ok(timings.total_us >= timings.compute_us);
  for (const id of ['queue-time', 'compute-time', 'total-time', 'round-trip']) {
    assert.match(await text(page, `#${id}`), /^[\d.]+\s(µs|ms|s)$/);
  }
}

async function holdout(offset, count) {
  const response = await fetch(new URL(`v1/holdout?offset=${offset}&count=${count}`, service.url));
  const bytes = Buffer.from(await response.arrayBuffer());
  return Array.from({ length: count }, (_, i) => {
    const at = i * (kPixels + 1);
    return { label: bytes[at], pixels: bytes.subarray(at + 1, at + 1 + kPixels) };
  });
}

/// Fires the whole set at a concurrency and waits for its row in the table.
async function fire(page, concurrency) {
  const rows = page.locator(`#runs tr[data-concurrency="${concurrency}"]`);
  const before = await rows.count();
  await page.locator(`input[name="concurrency"][value="${concurrency}"]`).check();
  await page.locator('#fire-start').click();
  await rows.nth(before).waitFor({ timeout: 120000 });
  return rows.nth(before);
}

const runOrder = (page) =>
  page.locator('#runs tr').evaluateAll((rows) => rows.map((row) => row.dataset.concurrency));

/// Non-background pixels of a chart: proof that something was drawn into its plot area.
const inked = (page, selector) => page.locator(selector).evaluate((canvas) => {
  const { data } = canvas.getContext('2d').getImageData(60, 0, canvas.width - 60, canvas.height - 24);
  const colours = new Set();
  for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 100) colours.add(data.slice(i, i + 3).join());
  return colours.size;
});

/// The whole page. Grows the viewport rather than ask for `fullPage`, which resizes the window on its
/// way and makes the gallery load again.
async function photograph(page, name) {
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ ...page.viewportSize(), height });
  await page.mouse.move(0, 0);
  await page.locator('#tiles[aria-busy="false"]').waitFor();
  await page.screenshot({ path: join(screenshots, name), animations: 'disabled' });
}

describe('the page of the reference service', { skip: reason }, () => {
  before(async () => {
    mkdirSync(screenshots, { recursive: true });
    service = await startService();
    browser = await launchBrowser();
    info = await (await fetch(new URL('v1/info', service.url))).json();
  });

  after(async () => {
    if (browser) await browser.close();
    const status = service ? await service.stop() : null;
    assert.ok(status === null || status === 0, `the service ended with ${status}`);
  });

  test('loads under a strict content security policy without a complaint', async (t) => {
    const { page, complaints } = await open(t);
    assert.equal(await text(page, 'h1'), 'Fashion classifier');
    assert.ok(Math.abs((await figure(page, '#fact-accuracy')) - 100 * info.model.accuracy) < 0.006);
    assert.equal(await figure(page, '#fact-batch'), info.max_batch);
    assert.equal(await page.locator('.tile:visible').count(), 56);
    assert.deepEqual(complaints, []);
  });

  test('a clicked image gets the answer of the service and then its true label', async (t) => {
    const { page, complaints } = await open(t);
    const images = await holdout(0, 8);
    let right = 0;
    for (let i = 0; i < images.length; ++i) {
      const tile = page.locator('.tile').nth(i);
      assert.equal(await tile.getAttribute('aria-label'), `Image ${i + 1}`);
      const { sent, answer } = await asking(page, () => tile.click());
      assert.ok(sent.equals(images[i].pixels), 'the pixels that were sent are the image');
      await assertShows(page, answer);
      const verdict = answer.label === images[i].label ? 'right' : 'wrong';
      right += verdict === 'right' ? 1 : 0;
      await page.locator(`.tile[data-state="${verdict}"]`).and(tile).waitFor();
      assert.equal(await page.locator('#answer-truth').getAttribute('data-state'), verdict);
      assert.match(await text(page, '#answer-truth'), new RegExp(`labelled ${info.classes[images[i].label]}$`));
    }
    await page.locator('#tally', { hasText: `${right} of ${images.length} right` }).waitFor();
    assert.deepEqual(complaints, []);
  });

  test('the gallery turns pages and ends with the last image', async (t) => {
    const { page } = await open(t);
    assert.ok(await page.locator('#page-previous').isDisabled());
    await page.locator('#page-next').click();
    await page.locator('#page-range', { hasText: '57 to 112' }).waitFor();
    const [image] = await holdout(56, 1);
    const { sent } = await asking(page, () => page.locator('.tile').first().click());
    assert.ok(sent.equals(image.pixels));
    await page.locator('#page-previous').click();
    await page.locator('#page-range', { hasText: '1 to 56' }).waitFor();
    await page.locator('#page-random').click();
    await page.locator('#tiles[aria-busy="false"]').waitFor();
  });

  test('arrow keys and Enter are enough', async (t) => {
    const { page } = await open(t);
    const images = await holdout(0, 17);
    await page.locator('.tile').first().focus();
    for (const key of ['ArrowRight', 'ArrowRight', 'ArrowDown', 'ArrowDown', 'ArrowLeft', 'ArrowUp']) {
      await page.keyboard.press(key);
    }
    const { sent, answer } = await asking(page, () => page.keyboard.press('Enter'));
    assert.ok(sent.equals(images[8].pixels), 'two right, one left, one down: image 9');
    await assertShows(page, answer);
    await page.locator('#announcer', { hasText: answer.class }).waitFor();
    await page.keyboard.press('PageDown');
    await page.locator('#page-range', { hasText: '57 to 112' }).waitFor();
  });

  test('a finger picks and draws', async (t) => {
    const { page, complaints } = await open(t, { viewport: kPhone, hasTouch: true, isMobile: true });
    const { answer } = await asking(page, () => page.locator('.tile').nth(3).tap());
    await assertShows(page, answer);
    const drawn = await asking(page, () => page.locator('#sketch').tap());
    assert.ok(drawn.sent.some((value) => value > 150), 'the tap left ink');
    await assertShows(page, drawn.answer);
    assert.deepEqual(complaints, []);
  });

  test('a drawing is classified while it grows, and on demand', async (t) => {
    const { page, complaints } = await open(t);
    const box = await page.locator('#sketch').boundingBox();
    const at = (x, y) => [box.x + box.width * x, box.y + box.height * y];
    assert.ok(await page.locator('#sketch-classify').isDisabled());

    const settled = () => page.locator('#sketch[aria-busy="false"]').waitFor();
    await page.mouse.move(...at(0.35, 0.1));
    const first = await asking(page, () => page.mouse.down());
    await settled();
    const [grown] = await Promise.all([page.waitForRequest('**/v1/fashion'),
      page.mouse.move(...at(0.35, 0.9), { steps: 12 })]);
    await page.mouse.move(...at(0.65, 0.9), { steps: 6 });
    await page.mouse.move(...at(0.65, 0.1), { steps: 6 });
    await page.mouse.move(...at(0.35, 0.1), { steps: 6 });
    await page.mouse.up();
    const ink = (bytes) => bytes.reduce((a, b) => a + b, 0);
    const outline = ink(grown.postDataBuffer());
    assert.ok(outline > ink(first.sent), 'the drawing grew between two questions');

    await settled();
    await page.locator('#sketch-live').uncheck();
    await page.getByRole('radio', { name: 'Fill' }).check();
    await page.mouse.click(...at(0.5, 0.5));
    const last = await asking(page, () => page.locator('#sketch-classify').click());
    assert.ok(ink(last.sent) > 2 * outline, 'the outline was filled');
    await assertShows(page, last.answer);
    assert.equal(await text(page, '#answer-truth'), 'A drawing has no true label.');

    await page.locator('#sketch-clear').click();
    assert.ok(await page.locator('#sketch-classify').isDisabled());
    await page.locator('#sketch-undo').click();
    assert.ok(await page.locator('#sketch-classify').isEnabled());
    assert.deepEqual(complaints, []);
  });

  test('ready-made shapes let a keyboard draw', async (t) => {
    const { page } = await open(t);
    for (const shape of ['T-shirt', 'Trouser', 'Dress', 'Sneaker', 'Bag', 'Ankle boot']) {
      await page.getByRole('button', { name: shape, exact: true }).focus();
      const { sent, answer } = await asking(page, () => page.keyboard.press('Enter'));
      assert.ok(sent.filter((value) => value > 100).length > 60, `${shape} has a body`);
      await assertShows(page, answer);
      t.diagnostic(`${shape}: answered ${answer.class}`);
    }
  });

  test('an answered image can be copied to the canvas and asked again', async (t) => {
    const { page } = await open(t);
    const first = await asking(page, () => page.locator('.tile').nth(1).click());
    const again = await asking(page, () => page.locator('#copy-answer').click());
    assert.ok(again.sent.equals(first.sent));
    assert.equal(again.answer.label, first.answer.label);
  });

  test('firing the whole set shows the accuracy of the model and batches that form', async (t) => {
    const { page, complaints } = await open(t);
    const row = await fire(page, 64);
    const meters = await row.locator('.meter-value').allTextContents();
    const [perSecond, meanBatch] = meters.map((value) => Number.parseFloat(value.replaceAll(',', '')));
    const accuracy = Number.parseFloat(await row.locator('.accuracy').textContent()) / 100;
    t.diagnostic(`accuracy ${accuracy.toFixed(4)}, ${perSecond} images/s, mean batch ${meanBatch}`);
    assert.ok(Math.abs(accuracy - info.model.accuracy) <= 0.01, `accuracy ${accuracy}`);
    assert.ok(meanBatch > 1, `mean batch ${meanBatch}`);
    assert.ok(perSecond > 0);
    assert.match(await text(page, '#fire-status'), /^Done: 10,000 of 10,000, 64 in flight$/);
    assert.equal(await figure(page, '#fire-accuracy'), Number((100 * accuracy).toFixed(2)));
    assert.ok(await page.locator('#fire-start').isEnabled());

    await page.waitForFunction(() => /^\d/.test(document.getElementById('live-p99').textContent));
    assert.match(await text(page, '#live-batch'), /^[\d.]+$/);
    for (const chart of ['#chart-rps', '#chart-batch', '#chart-latency']) {
      assert.ok((await inked(page, chart)) > 1, `${chart} shows data`);
    }
    assert.deepEqual(complaints, []);
  });

  test('earlier runs stay in the table, also over a reload', async (t) => {
    const { page } = await open(t);
    await fire(page, 256);
    await fire(page, 16);
    assert.deepEqual(await runOrder(page), ['256', '16']);
    await page.reload();
    await live(page);
    assert.deepEqual(await runOrder(page), ['256', '16']);
    await page.locator('#runs-clear').click();
    await page.locator('#runs-empty').waitFor();
  });

  test('a run can be cancelled', async (t) => {
    const { page } = await open(t);
    await page.locator('input[name="concurrency"][value="1"]').check();
    await page.locator('#fire-start').click();
    await page.locator('#fire-status[data-state="running"]').waitFor();
    await page.locator('#fire-cancel').click();
    await page.locator('#fire-status[data-state="cancelled"]').waitFor();
    assert.match(await page.locator('#runs td').first().textContent(), /^1\s*cancelled$/);
    assert.ok(await page.locator('#fire-start').isEnabled());
  });

  test('the live strip counts what is asked', async (t) => {
    const { page } = await open(t);
    await asking(page, () => page.locator('.tile').nth(5).click());
    await page.waitForFunction(() => /^\d/.test(document.getElementById('live-batch').textContent));
    await page.waitForFunction(() => /^\d/.test(document.getElementById('live-p50').textContent));
  });

  test('refusals and failures are told in words, as text', async (t) => {
    const { page } = await open(t);
    const refuse = (status, body, headers = {}) => page.route('**/v1/fashion', (route) => route.fulfill({
      status, headers: { 'content-type': 'application/problem+json', ...headers }, body: JSON.stringify(body),
    }));
    const says = async (words) => {
      await page.locator('.tile').nth(2).click();
      await page.locator('#notice-text', { hasText: words }).waitFor();
      assert.equal(await text(page, '#answer-class'), 'No answer');
      await page.unroute('**/v1/fashion');
    };
    await refuse(503, { title: 'overloaded' }, { 'retry-after': '2' });
    await says('at capacity and turned the request away. It asks to wait 2 s.');
    const markup = 'pixel 3 is <img src=x onerror=alert(1)>';
    await refuse(422, { title: 'invalid', detail: markup, request_id: 'r-17' });
    await says(`could not use this input. It said: ${markup}. (Request r-17)`);
    assert.equal(await page.locator('#notice img').count(), 0);
    await refuse(500, { title: 'internal', request_id: 'r-18' });
    await says('The service failed (500). It said: internal. (Request r-18)');
    await page.route('**/v1/fashion', (route) => route.fulfill({ status: 200, body: 'not json' }));
    await says('an answer this page cannot read');
    await page.route('**/v1/fashion', (route) => route.abort());
    await says('cannot be reached');
    await asking(page, () => page.locator('#notice-retry').click());
    await page.locator('#notice').waitFor({ state: 'hidden' });

    await page.route('**/v1/fire', (route) => route.fulfill({ status: 409, body: '{}' }));
    await page.locator('#fire-start').click();
    await page.locator('#notice-text', { hasText: 'A run is already in progress' }).waitFor();
    await page.locator('#notice-close').click();
    assert.ok(await page.locator('#notice').isHidden());
  });

  test('says when it is offline and comes back by itself', async (t) => {
    const { page, context } = await open(t);
    await context.setOffline(true);
    await page.locator('#connection[data-state="offline"]', { hasText: 'Offline' }).waitFor();
    await page.locator('.tile').first().click();
    await page.locator('#notice-text', { hasText: 'This device is offline.' }).waitFor();
    await context.setOffline(false);
    await live(page);
    await asking(page, () => page.locator('.tile').first().click());
  });

  test('counts down to the next attempt when the stream is lost', async (t) => {
    const { page } = await open(t);
    await page.route('**/v1/stream', (route) => route.abort());
    await page.reload();
    await page.locator('#connection[data-state="offline"]', { hasText: 'Retry in' }).waitFor();
    await page.unroute('**/v1/stream');
    await live(page);
  });

  test('a failed gallery says so and can be asked again', async (t) => {
    const { page } = await open(t);
    await page.route('**/v1/holdout*', (route) => route.fulfill({ status: 503, headers: { 'retry-after': '1' }, body: '{}' }));
    await page.locator('#page-next').click();
    await page.locator('#tiles-error-text', { hasText: 'could not be loaded' }).waitFor();
    await page.unroute('**/v1/holdout*');
    await page.locator('#tiles-retry').click();
    await page.locator('#page-range', { hasText: '57 to 112' }).waitFor();
    assert.ok(await page.locator('#tiles-error').isHidden());
  });

  test('follows the system theme, and the choice of the user outlives a reload', async (t) => {
    const { page } = await open(t, { colorScheme: 'dark' });
    const theme = (name) => page.locator(`html[data-theme="${name}"]`).waitFor();
    await theme('dark');
    await page.emulateMedia({ colorScheme: 'light' });
    await theme('light');
    await page.locator('#theme').click();
    await page.locator('#theme').click();
    assert.equal(await page.locator('#theme').getAttribute('aria-label'), 'Theme: dark');
    await theme('dark');
    await page.reload();
    await theme('dark');
  });

  for (const colorScheme of ['light', 'dark']) {
    test(`text has at least WCAG AA contrast in the ${colorScheme} theme`, async (t) => {
      const { page } = await open(t, { colorScheme });
      for (let i = 0; i < 8; ++i) await asking(page, () => page.locator('.tile').nth(i).click());
      assert.deepEqual(await page.evaluate(weakText), []);
    });
  }

  for (const width of [360, 390, 768, 1024, 1280]) {
    test(`fits a screen of ${width} pixels, and nothing moves while it loads`, async (t) => {
      const { page } = await open(t, { viewport: { width, height: 800 } });
      const layout = await page.evaluate(measureLayout);
      assert.ok(layout.overflow <= 0, `${layout.overflow} pixels too wide`);
      assert.ok(layout.shift < 0.02, `layout shift ${layout.shift}`);
      assert.deepEqual(layout.nameless, []);
    });
  }

  for (const [name, colorScheme, viewport, scale] of [
    ['page-light', 'light', kDesktop, 1], ['page-dark', 'dark', kDesktop, 1],
    ['page-phone-light', 'light', kPhone, 2], ['page-phone-dark', 'dark', kPhone, 2],
  ]) {
    test(`looks like ${name}.png`, async (t) => {
      const { page, complaints } = await open(t, { colorScheme, viewport, deviceScaleFactor: scale });
      for (const i of [0, 1, 3, 4, 6, 8, 12, 13, 17, 20]) await asking(page, () => page.locator('.tile').nth(i).click());
      await asking(page, () => page.getByRole('button', { name: 'Ankle boot', exact: true }).click());
      await page.locator('#fire-sweep').click();
      await page.locator('#runs tr').nth(4).waitFor({ timeout: 120000 });
      assert.deepEqual(await runOrder(page), ['1', '4', '16', '64', '256']);
      await page.locator('input[name="concurrency"][value="256"]').check();
      await Promise.all([page.waitForResponse('**/v1/fire'), page.locator('#fire-start').click()]);
      await asking(page, () => page.evaluate(() => document.querySelectorAll('.tile')[23].click()));
      await page.locator('#runs tr').nth(5).waitFor({ timeout: 120000 });
      await photograph(page, `${name}.png`);
      assert.deepEqual(complaints, []);
    });
  }
});

// ---- these run inside the page

/// Visible texts whose contrast is below 4.5 to 1 (3 to 1 from 24 px on), disabled controls excepted.
function weakText() {
  const channels = (colour) => (colour.match(/[\d.]+/g) || []).map(Number);
  const luminance = ([r, g, b]) => [r, g, b]
    .map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const backdrop = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = channels(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const weak = [];
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    const words = walker.currentNode.textContent.trim();
    if (!words || !node.checkVisibility() || node.closest(':disabled, .skip, .visually-hidden, script')) continue;
    const style = getComputedStyle(node);
    const [a, b] = [luminance(channels(style.color)), luminance(backdrop(node))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (Number.parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) weak.push(`${words}: ${ratio.toFixed(2)}`);
  }
  return weak;
}

/// How much moved by itself, how far the page is too wide, and controls without a name.
function measureLayout() {
  const shifts = new PerformanceObserver(() => {});
  shifts.observe({ type: 'layout-shift', buffered: true });
  const named = (node) => (node.getAttribute('aria-label') || node.textContent.trim()
    || [...(node.labels || [])].map((label) => label.textContent.trim()).join(''));
  return {
    shift: shifts.takeRecords().filter((entry) => !entry.hadRecentInput).reduce((sum, entry) => sum + entry.value, 0),
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    nameless: [...document.querySelectorAll('button, input')].filter((node) => !named(node)).map((node) => node.outerHTML),
  };
}
