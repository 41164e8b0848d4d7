// The page of the reference service. Plain script, no dependencies, works under
// Content-Security-Policy: default-src 'self'. Text from the service is only ever shown through
// textContent. It is loaded in the head so that the theme is known before the first paint;
// everything else starts when the document is parsed.
(() => {
  'use strict';

  const kSide = 28;
  const kPixels = kSide * kSide;
  const kRecord = 1 + kPixels;

  // ---------------------------------------------------------------- theme

  const darkScheme = matchMedia('(prefers-color-scheme: dark)');
  const kThemes = ['auto', 'light', 'dark'];
  const remembered = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  const remember = (key, value) => { try { localStorage.setItem(key, value); } catch { /* private mode */ } };
  let theme = kThemes.includes(remembered('theme')) ? remembered('theme') : 'auto';

  function applyTheme() {
    const dark = theme === 'dark' || (theme === 'auto' && darkScheme.matches);
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  }
  applyTheme();

  // ---------------------------------------------------------------- small helpers

  const $ = (id) => document.getElementById(id);
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);

  function element(tag, className, text) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  }

  const kDash = '–';
  const kThin = '\u202f';  // narrow no-break space
  const whole = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });
  const number = (value) => (isNumber(value) ? whole.format(value) : kDash);
  const decimal = (value, digits = 1) => (isNumber(value) ? value.toFixed(digits) : kDash);
  const percent = (share, digits) => (isNumber(share) ? (100 * share).toFixed(digits) + kThin + '%' : kDash);

  /// Microseconds in the unit that keeps three significant digits.
  function duration(us) {
    if (!isNumber(us)) return kDash;
    if (us < 999.5) return us.toFixed(0) + kThin + 'µs';
    const [value, unit] = us < 999500 ? [us / 1e3, 'ms'] : [us / 1e6, 's'];
    return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0) + kThin + unit;
  }
  const milliseconds = (ms) => (isNumber(ms) ? duration(ms * 1e3) : kDash);

  function ordinal(n) {
    const tail = n % 100 > 10 && n % 100 < 14 ? 'th' : ['th', 'st', 'nd', 'rd'][n % 10] || 'th';
    return n + tail;
  }

  /// Disables a control without dropping the keyboard's focus on the floor.
  function setDisabled(control, disabled, heir) {
    const focused = document.activeElement === control;
    control.disabled = disabled;
    if (disabled && focused && heir && !heir.disabled) heir.focus();
  }

  const announce = (text) => { $('announcer').textContent = text; };

  // ---------------------------------------------------------------- talking to the service

  class ServiceError extends Error {
    constructor(status, message, retryAfter = 0) {
      super(message);
      this.status = status;
      this.retryAfter = retryAfter;  // seconds, 0 when the service named none
    }
  }

  /// What went wrong, in words somebody can act on. status 0: no answer at all.
  function explain(status, problem, retryAfter) {
    const detail = problem.detail || problem.title || '';
    const said = detail ? ' It said: ' + detail.replace(/[.\s]*$/, '.') : '';
    const wait = retryAfter > 0 ? ` It asks to wait ${retryAfter} s.` : '';
    const request = problem.request_id ? ` (Request ${problem.request_id})` : '';
    if (status === 0 && navigator.onLine === false) return 'This device is offline.';
    if (status === 0) return 'The service cannot be reached. Is it still running?';
    if (status === 409) return 'A run is already in progress; it is shown here.' + said;
    if (status === 422) return 'The service could not use this input.' + said + request;
    if (status === 429) return 'Too many requests from here.' + wait;
    if (status === 503) return 'The service is at capacity and turned the request away.' + wait + request;
    if (status === 504) return 'The answer would have come after its deadline, so the work was stopped.' + request;
    if (status >= 500) return `The service failed (${status}).` + said + request;
    return `The service refused the request (${status}).` + said + request;
  }

  async function problemOf(response) {
    let problem = {};
    try { problem = await response.json(); } catch { /* not problem+json: the status must do */ }
    const retryAfter = Math.ceil(Number(response.headers.get('Retry-After'))) || 0;
    return new ServiceError(response.status, explain(response.status, problem || {}, retryAfter), retryAfter);
  }

  async function request(path, options = {}) {
    let response;
    try {
      response = await fetch(path, { ...options, signal: AbortSignal.timeout(15000), cache: 'no-store' });
    } catch (error) {
      const late = error.name === 'TimeoutError';
      throw new ServiceError(0, late ? 'No answer within 15 s.' : explain(0, {}, 0));
    }
    if (!response.ok) throw await problemOf(response);
    return response;
  }

  const notice = { retry: null };

  function showNotice(text, retry = null) {
    notice.retry = retry;
    $('notice-text').textContent = text;
    $('notice-retry').hidden = !retry;
    $('notice').hidden = false;
  }
  const hideNotice = () => { $('notice').hidden = true; };

  // ---------------------------------------------------------------- model and service facts

  let classes = ['T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat', 'Sandal', 'Shirt',
    'Sneaker', 'Bag', 'Ankle boot'];
  let maxBatch = 64;
  let heldOut = 10000;

  async function loadInfo() {
    const info = await (await request('v1/info')).json();
    const model = info.model || {};
    if (Array.isArray(info.classes) && info.classes.length === 10) classes = info.classes.map(String);
    if (isNumber(info.max_batch)) maxBatch = clamp(info.max_batch, 1, 1024);
    if (isNumber(model.held_out)) heldOut = model.held_out;
    $('fact-accuracy').textContent = percent(model.accuracy, 2);
    $('fact-trained').textContent = number(model.trained_images) + ' images';
    $('fact-instances').textContent = number(info.instances);
    $('fact-batch').textContent = number(info.max_batch);
    $('fact-blas').textContent = info.blas || kDash;
    $('fact-blas').title = info.blas || '';
    $('build').textContent = `aiserve ${info.version || ''} ${(info.commit || '').slice(0, 12)}`.trim() + '.';
    const digest = String(model.sha256 || '').slice(0, 16);
    $('model-file').textContent = String(model.path || kDash).split('/').pop() + (digest ? ` sha256 ${digest}…` : '');
    $('fire-start').textContent = `Classify ${number(heldOut)} images`;
    labelBars();
    buildSeats();
    batchChart.prepare();
  }

  // ---------------------------------------------------------------- pictures

  /// Paints 784 grey values as white ink of that opacity, so that the plate's colour shows through.
  function paint(canvas, pixels) {
    const context = canvas.getContext('2d');
    const image = context.createImageData(kSide, kSide);
    for (let i = 0; i < kPixels; ++i) {
      image.data[4 * i] = image.data[4 * i + 1] = image.data[4 * i + 2] = 255;
      image.data[4 * i + 3] = pixels[i];
    }
    context.putImageData(image, 0, 0);
  }

  // ---------------------------------------------------------------- the answer

  const answers = { asked: 0, shown: 0, pixels: null };

  const kReasons = {
    idle: 'Started at once: an instance was free.',
    full: 'Started because it was full.',
  };
  const reasonInWords = (reason) => kReasons[reason] || (reason ? `Started for the reason “${reason}”.` : '');

  /// Classifies 784 grey values and shows the answer unless a newer one is on screen already.
  /// source: {text, label} with label undefined when nobody knows the truth.
  async function classify(pixels, source) {
    const ticket = ++answers.asked;
    const started = performance.now();
    try {
      const response = await request('v1/fashion', {
        method: 'POST', headers: { 'Content-Type': 'application/octet-stream' }, body: pixels,
      });
      const answer = await response.json();
      const roundTrip = (performance.now() - started) * 1e3;
      if (ticket > answers.shown) {
        answers.shown = ticket;
        showAnswer(answer, pixels, source, roundTrip);
      }
      return answer;
    } catch (error) {
      const failure = error instanceof ServiceError ? error
        : new ServiceError(0, 'The service sent an answer this page cannot read.');
      if (ticket > answers.shown) showFailure(pixels, source);
      throw failure;
    }
  }

  function showAnswer(answer, pixels, source, roundTrip) {
    const probabilities = answer.probabilities.map(Number);
    answers.pixels = Uint8Array.from(pixels);
    $('copy-answer').disabled = false;
    $('answer').dataset.state = 'answered';
    $('answer').dataset.label = answer.label;
    paint($('answer-input'), pixels);
    $('answer-source').textContent = source.text;
    $('answer-class').textContent = answer.class;
    $('answer-probability').textContent = percent(probabilities[answer.label], 1) + ' probability';
    showTruth(answer.label, source.label);
    showBars(probabilities, answer.label, source.label);
    showBatch(answer.batch || {});
    showTimes(answer.timings || {}, roundTrip);
    $('request-id').textContent = answer.request_id || kDash;
  }

  function showTruth(label, truth) {
    const known = truth !== undefined;
    const right = label === truth;
    $('answer-truth').dataset.state = known ? (right ? 'right' : 'wrong') : '';
    $('answer-truth').textContent = !known ? 'A drawing has no true label.'
      : right ? `✓ Right: labelled ${classes[truth]}` : `✕ Wrong: labelled ${classes[truth]}`;
  }

  function showFailure(pixels, source) {
    $('answer').dataset.state = 'failed';
    paint($('answer-input'), pixels);
    $('answer-source').textContent = source.text;
    $('answer-class').textContent = 'No answer';
    $('answer-probability').textContent = kDash;
    $('answer-truth').dataset.state = 'failed';
    $('answer-truth').textContent = 'The request did not succeed.';
    for (const row of $('bars').children) {
      row.className = '';
      row.querySelector('.fill').style.transform = 'scaleX(0)';
      row.querySelector('.value').textContent = kDash;
    }
    showBatch({});
    showTimes({}, NaN);
    $('request-id').textContent = kDash;
  }

  function buildBars() {
    for (let i = 0; i < 10; ++i) {
      const row = element('li');
      const track = element('span', 'track');
      track.setAttribute('aria-hidden', 'true');
      track.append(element('span', 'fill'));
      row.append(element('span', 'name'), track, element('span', 'value', kDash));
      $('bars').append(row);
    }
    labelBars();
  }

  function labelBars() {
    [...$('bars').children].forEach((row, i) => { row.querySelector('.name').textContent = classes[i]; });
  }

  function showBars(probabilities, label, truth) {
    [...$('bars').children].forEach((row, i) => {
      row.className = (i === label ? 'top' : '') + (truth === i && truth !== label ? ' truth-row' : '');
      row.querySelector('.fill').style.transform = `scaleX(${clamp(probabilities[i], 0, 1)})`;
      row.querySelector('.value').textContent = percent(probabilities[i], 1);
    });
  }

  function buildSeats() {
    const count = Math.min(128, Math.max(32, maxBatch));
    $('seats').replaceChildren(...Array.from({ length: count }, () => element('i')));
  }

  /// batch.position counts from 0.
  function showBatch(batch) {
    const size = isNumber(batch.size) ? batch.size : 0;
    [...$('seats').children].forEach((seat, i) => {
      seat.className = i === batch.position && size ? 'own' : i < size ? 'taken' : '';
    });
    $('batch-size').textContent = !size ? kDash
      : size === 1 ? `Alone, in batch ${number(batch.id)}`
        : `${ordinal(batch.position + 1)} of ${size} requests, in batch ${number(batch.id)}`;
    $('batch-size').dataset.size = size;
    $('batch-reason').textContent = size ? reasonInWords(batch.reason)
      : 'One square, one request of the same batch.';
  }

  function showTimes(timings, roundTrip) {
    const queue = timings.queue_us;
    const compute = timings.compute_us;
    const total = timings.total_us;
    const rest = Math.max(0, total - queue - compute);
    $('time-queue').style.flexGrow = isNumber(queue) ? queue : 0;
    $('time-compute').style.flexGrow = isNumber(compute) ? compute : 0;
    $('time-rest').style.flexGrow = isNumber(rest) ? rest : 0;
    $('queue-time').textContent = duration(queue);
    $('compute-time').textContent = duration(compute);
    $('total-time').textContent = duration(total);
    $('round-trip').textContent = duration(roundTrip);
  }

  // ---------------------------------------------------------------- the gallery

  const smallScreen = matchMedia('(max-width: 760px)');
  const gallery = { offset: 0, total: heldOut, records: null, at: 0, current: -1, answered: new Map(), load: 0 };
  const columns = () => (smallScreen.matches ? 6 : 7);
  const pageSize = () => (smallScreen.matches ? 24 : 56);

  function buildTiles() {
    $('tiles').replaceChildren(...Array.from({ length: pageSize() }, (_, i) => {
      const tile = element('button', 'tile');
      const canvas = element('canvas');
      tile.type = 'button';
      tile.tabIndex = i === 0 ? 0 : -1;
      tile.setAttribute('aria-label', 'Loading');
      canvas.width = canvas.height = kSide;
      tile.append(canvas);
      return tile;
    }));
    gallery.at = 0;
  }

  async function loadPage(offset) {
    const load = ++gallery.load;
    gallery.offset = clamp(offset, 0, Math.max(0, gallery.total - 1));
    $('tiles').setAttribute('aria-busy', 'true');
    try {
      const response = await request(`v1/holdout?offset=${gallery.offset}&count=${pageSize()}`);
      const bytes = new Uint8Array(await response.arrayBuffer());
      if (load !== gallery.load) return;  // a newer page was asked for meanwhile
      gallery.total = Number(response.headers.get('X-Total-Count')) || gallery.total;
      gallery.records = bytes;
      showPage();
    } catch (error) {
      if (load === gallery.load) showPageError(error.message);
    }
  }

  function showPageError(text) {
    $('tiles-error-text').textContent = 'The images could not be loaded. ' + text;
    $('tiles-error').hidden = false;
    $('tiles').inert = true;
    $('tiles').setAttribute('aria-busy', 'false');
  }

  const recordCount = () => (gallery.records ? Math.floor(gallery.records.length / kRecord) : 0);
  const pixelsOf = (i) => gallery.records.subarray(i * kRecord + 1, (i + 1) * kRecord);
  const labelOf = (i) => gallery.records[i * kRecord];

  function showPage() {
    $('tiles-error').hidden = true;
    $('tiles').inert = false;
    [...$('tiles').children].forEach((tile, i) => {
      const present = i < recordCount();
      tile.classList.toggle('blank', !present);
      if (present) paint(tile.firstChild, pixelsOf(i));
      if (present) markTile(i);
    });
    const last = gallery.offset + recordCount();
    $('page-range').textContent = `${number(gallery.offset + 1)} to ${number(last)} of ${number(gallery.total)}`;
    setDisabled($('page-previous'), gallery.offset === 0, $('page-next'));
    setDisabled($('page-next'), last >= gallery.total, $('page-previous'));
    $('tiles').setAttribute('aria-busy', 'false');
    rove(Math.min(gallery.at, recordCount() - 1), false);
  }

  /// Shows on a tile what is known about it; the true label only once there is an answer.
  function markTile(i, state) {
    const tile = $('tiles').children[i];
    const index = gallery.offset + i;
    const answer = gallery.answered.get(index);
    const name = `Image ${number(index + 1)}`;
    tile.dataset.state = state || (answer === undefined ? '' : answer === labelOf(i) ? 'right' : 'wrong');
    tile.setAttribute('aria-label', answer === undefined ? name
      : `${name}, ${classes[labelOf(i)]}, answered ${classes[answer]}, ${tile.dataset.state}`);
    if (index === gallery.current) tile.setAttribute('aria-current', 'true');
    else tile.removeAttribute('aria-current');
    tile.title = answer === undefined ? '' : `${classes[labelOf(i)]}, answered ${classes[answer]}`;
  }

  function showTally() {
    const entries = gallery.answered.size;
    $('tally').textContent = `${number(gallery.right)} of ${number(entries)} right so far`;
  }
  gallery.right = 0;

  async function pickTile(i) {
    if (i >= recordCount()) return;
    const load = gallery.load;
    const index = gallery.offset + i;
    const truth = labelOf(i);
    const pixels = pixelsOf(i).slice();
    rove(i, false);
    gallery.current = index;
    for (const tile of $('tiles').children) tile.removeAttribute('aria-current');
    markTile(i, 'asking');
    try {
      const answer = await classify(pixels, { text: `Image ${number(index + 1)}`, label: truth });
      hideNotice();
      if (!gallery.answered.has(index) && answer.label === truth) ++gallery.right;
      gallery.answered.set(index, answer.label);
      showTally();
      announce(`${answer.class}, ${percent(answer.probabilities[answer.label], 0)}. `
        + (answer.label === truth ? 'Right.' : `Wrong, it is labelled ${classes[truth]}.`));
    } catch (error) {
      showNotice(error.message, () => pickTile(i));
    }
    if (load === gallery.load) markTile(i);
  }

  /// One tile at a time is in the tab order; arrows move it.
  function rove(to, focus = true) {
    const tiles = $('tiles').children;
    if (to < 0 || to >= tiles.length) return;
    tiles[gallery.at].tabIndex = -1;
    gallery.at = to;
    tiles[to].tabIndex = 0;
    if (focus) tiles[to].focus();
  }

  const turnPage = (direction) => {
    const offset = gallery.offset + direction * pageSize();
    if (direction > 0 ? offset < gallery.total : gallery.offset > 0) return loadPage(Math.max(0, offset));
    return undefined;
  };

  function onTileKey(event) {
    const count = recordCount();
    const at = [...$('tiles').children].indexOf(event.target.closest('.tile'));
    const row = columns();
    const moves = {
      ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - row, ArrowDown: at + row,
      Home: at - (at % row), End: Math.min(count - 1, at - (at % row) + row - 1),
    };
    if (event.key in moves) {
      if (moves[event.key] >= 0 && moves[event.key] < count) rove(moves[event.key]);
    } else if (event.key === 'PageDown' || event.key === 'PageUp') {
      turnPage(event.key === 'PageDown' ? 1 : -1);
    } else {
      return;
    }
    event.preventDefault();
  }

  function startGallery() {
    buildTiles();
    $('tiles').addEventListener('click', (event) => {
      const tile = event.target.closest('.tile');
      if (tile) pickTile([...$('tiles').children].indexOf(tile));
    });
    $('tiles').addEventListener('keydown', onTileKey);
    $('page-previous').addEventListener('click', () => turnPage(-1));
    $('page-next').addEventListener('click', () => turnPage(1));
    $('page-random').addEventListener('click', () => {
      const pages = Math.ceil(gallery.total / pageSize());
      loadPage(Math.floor(Math.random() * pages) * pageSize());
    });
    $('tiles-retry').addEventListener('click', () => loadPage(gallery.offset));
    smallScreen.addEventListener('change', () => {
      buildTiles();
      loadPage(gallery.offset - (gallery.offset % pageSize()));
    });
    loadPage(0);
  }

  // ---------------------------------------------------------------- drawing

  // Ready-made shapes, also the way in for a keyboard. Paths on the 28 x 28 grid, toes to the left
  // like the data set's. [path, opacity, mode]: later parts lie over earlier ones.
  const kShapes = {
    'T-shirt': [['M9 3L2.5 7.5L5.5 13L8.2 11V25.5H19.8V11L22.5 13L25.5 7.5L19 3Q14 6.5 9 3Z', 0.78]],
    Trouser: [['M9 1.5H19L20.8 26.5H15.6L14 8.5L12.4 26.5H7.2Z', 0.8]],
    Dress: [['M10.5 1.5L12.2 5Q14 6.4 15.8 5L17.5 1.5L18.4 3.5L17.2 10.5L21 26.5H7L10.8 10.5L9.6 3.5Z', 0.76]],
    Sneaker: [['M1.5 17.5Q6 16.6 10.5 12.2L13.5 11.2Q17.5 14.2 22.8 11.4L25.6 11Q26.6 14.5 26.4 19H1.4Z', 0.78],
      ['M1 19H26.6V21H1.6Z', 0.45]],
    Bag: [['M3.5 11.5H24.5L25.5 25H2.5Z', 0.76], ['M8 12Q8.5 3.5 14 3.5T20 12', 0.66, 'line'],
      ['M3.4 14.5H24.6', 0.25, 'cut']],
    'Ankle boot': [['M14.6 3.5Q19.5 5 25 3.5Q24.6 12 26.2 19.5V22H2V18.8Q4 16.2 9.5 14.6Q14 12.6 14.6 3.5Z', 0.8],
      ['M2 22.2H14V23.6H2ZM20 22.2H26.2V25H20Z', 0.9]],
  };

  const sketch = {
    ink: new Float32Array(kPixels),  // 0..1
    undo: [], pointer: null, last: null, text: 'Your drawing',
    busy: false, dirty: false, notBefore: 0, timer: 0,
  };
  const tool = () => document.querySelector('input[name="tool"]:checked').value;
  const sketchPixels = () => Uint8Array.from(sketch.ink, (value) => Math.round(255 * value));
  const isBlank = () => !sketch.ink.some((value) => value > 0.02);

  /// One soft dab: full strength inside the radius, fading over one pixel.
  function dab(x, y, radius, erase) {
    const reach = radius + 1;
    for (let row = Math.max(0, Math.floor(y - reach)); row < Math.min(kSide, y + reach); ++row) {
      for (let column = Math.max(0, Math.floor(x - reach)); column < Math.min(kSide, x + reach); ++column) {
        const distance = Math.hypot(column + 0.5 - x, row + 0.5 - y);
        const strength = clamp(radius + 0.5 - distance, 0, 1);
        const i = row * kSide + column;
        sketch.ink[i] = erase ? Math.min(sketch.ink[i], 1 - strength)
          : Math.max(sketch.ink[i], 0.86 * strength);
      }
    }
  }

  function stroke(from, to) {
    const radius = Number($('brush-size').value) * (to.pressure ? 0.5 + to.pressure : 1);
    const steps = Math.max(1, Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) * 3));
    for (let i = 1; i <= steps; ++i) {
      const t = i / steps;
      dab(from.x + (to.x - from.x) * t, from.y + (to.y - from.y) * t, radius, tool() === 'erase');
    }
  }

  /// Fills the unpainted area around (x, y) up to lines at least half as strong as the brush.
  function fill(x, y) {
    const seen = new Uint8Array(kPixels);
    const open = [Math.floor(y) * kSide + Math.floor(x)];
    while (open.length) {
      const i = open.pop();
      if (seen[i] || sketch.ink[i] >= 0.43) continue;
      seen[i] = 1;
      const column = i % kSide;
      if (column > 0) open.push(i - 1);
      if (column < kSide - 1) open.push(i + 1);
      if (i >= kSide) open.push(i - kSide);
      if (i < kPixels - kSide) open.push(i + kSide);
    }
    seen.forEach((inside, i) => { if (inside) sketch.ink[i] = Math.max(sketch.ink[i], 0.74); });
  }

  function remembersSketch() {
    sketch.undo.push(sketch.ink.slice());
    if (sketch.undo.length > 30) sketch.undo.shift();
  }

  function sketchChanged({ ask }) {
    paint($('sketch'), sketchPixels());
    const blank = isBlank();
    const firstShape = $('shapes').firstElementChild;
    setDisabled($('sketch-undo'), sketch.undo.length === 0, firstShape);
    setDisabled($('sketch-clear'), blank, $('sketch-undo'));
    setDisabled($('sketch-classify'), blank, firstShape);
    sketch.dirty = ask && !blank;
    pumpSketch();
  }

  /// While drawing: at most one question under way and one every 120 ms; the last state always asked.
  function pumpSketch() {
    $('sketch').setAttribute('aria-busy', String(sketch.busy || sketch.dirty));
    if (sketch.busy || !sketch.dirty || sketch.timer) return;
    const wait = sketch.notBefore - performance.now();
    if (wait > 0) {
      sketch.timer = setTimeout(() => { sketch.timer = 0; pumpSketch(); }, wait);
      return;
    }
    askSketch(false);
  }

  async function askSketch(aloud) {
    sketch.busy = true;
    sketch.dirty = false;
    $('sketch').setAttribute('aria-busy', 'true');
    sketch.notBefore = performance.now() + 120;
    try {
      const answer = await classify(sketchPixels(), { text: sketch.text });
      hideNotice();
      if (aloud) announce(`${answer.class}, ${percent(answer.probabilities[answer.label], 0)}.`);
    } catch (error) {
      sketch.notBefore = performance.now() + 1000 * Math.max(1, error.retryAfter);
      showNotice(error.message, () => askSketch(true));
    }
    sketch.busy = false;
    pumpSketch();
  }

  function pointOf(event) {
    const box = $('sketch').getBoundingClientRect();
    return {
      x: clamp((event.clientX - box.left) / box.width * kSide, 0, kSide - 0.01),
      y: clamp((event.clientY - box.top) / box.height * kSide, 0, kSide - 0.01),
      pressure: event.pointerType === 'pen' ? event.pressure : 0,
    };
  }

  const asksWhileDrawing = () => $('sketch-live').checked;

  function onPointerDown(event) {
    if (sketch.pointer !== null || event.button > 0) return;
    event.preventDefault();
    $('sketch').setPointerCapture(event.pointerId);
    sketch.pointer = event.pointerId;
    sketch.last = pointOf(event);
    sketch.text = 'Your drawing';
    remembersSketch();
    if (tool() === 'fill') fill(sketch.last.x, sketch.last.y);
    else stroke(sketch.last, sketch.last);
    sketchChanged({ ask: asksWhileDrawing() });
  }

  function onPointerMove(event) {
    if (event.pointerId !== sketch.pointer || tool() === 'fill') return;
    const steps = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    for (const step of steps.length ? steps : [event]) {
      const point = pointOf(step);
      stroke(sketch.last, point);
      sketch.last = point;
    }
    sketchChanged({ ask: asksWhileDrawing() });
  }

  function onPointerEnd(event) {
    if (event.pointerId === sketch.pointer) sketch.pointer = null;
  }

  function shapeInk(parts) {
    const canvas = element('canvas');
    canvas.width = canvas.height = kSide;
    const context = canvas.getContext('2d', { willReadFrequently: true });
    for (const [path, opacity, mode] of parts) {
      context.globalCompositeOperation = mode === 'cut' ? 'destination-out' : 'source-over';
      context.fillStyle = context.strokeStyle = `rgba(255, 255, 255, ${opacity})`;
      context.lineWidth = mode === 'cut' ? 1 : 1.8;
      if (mode) context.stroke(new Path2D(path));
      else context.fill(new Path2D(path));
    }
    const { data } = context.getImageData(0, 0, kSide, kSide);
    return Float32Array.from({ length: kPixels }, (_, i) => data[4 * i + 3] / 255);
  }

  function replaceSketch(ink, text) {
    remembersSketch();
    sketch.ink = ink;
    sketch.text = text;
    sketchChanged({ ask: false });
    askSketch(true);
  }

  function startSketch() {
    const canvas = $('sketch');
    canvas.addEventListener('pointerdown', onPointerDown);
    canvas.addEventListener('pointermove', onPointerMove);
    canvas.addEventListener('pointerup', onPointerEnd);
    canvas.addEventListener('pointercancel', onPointerEnd);
    for (const [name, parts] of Object.entries(kShapes)) {
      const button = element('button', '', name);
      button.type = 'button';
      button.addEventListener('click', () => replaceSketch(shapeInk(parts), `Shape: ${name}`));
      $('shapes').append(button);
    }
    $('sketch-clear').addEventListener('click', () => {
      remembersSketch();
      sketch.ink = new Float32Array(kPixels);
      sketchChanged({ ask: false });
      announce('Cleared.');
    });
    $('sketch-undo').addEventListener('click', () => {
      sketch.ink = sketch.undo.pop();
      sketchChanged({ ask: asksWhileDrawing() });
    });
    $('sketch-classify').addEventListener('click', () => askSketch(true));
    $('copy-answer').addEventListener('click', () => {
      replaceSketch(Float32Array.from(answers.pixels, (value) => value / 255), 'Your drawing');
    });
  }

  // ---------------------------------------------------------------- live charts

  const kAxis = 48;  // room for the labels at the left of each chart, CSS pixels
  const kSlots = 120;  // one reading each 250 ms: half a minute
  const history = { readings: new Array(kSlots).fill(null), at: 0, hover: null, scheduled: false };

  function addReading(reading) {
    const now = performance.now();
    const missed = history.at ? Math.round((now - history.at) / 250) - 1 : 0;
    for (let i = 0; i < clamp(missed > 2 ? missed : 0, 0, kSlots); ++i) history.readings.push(null);
    history.readings.push(reading);
    history.readings.splice(0, history.readings.length - kSlots);
    history.at = now;
    scheduleCharts();
  }

  function scheduleCharts() {
    if (history.scheduled) return;
    history.scheduled = true;
    requestAnimationFrame(() => {
      history.scheduled = false;
      drawCharts();
    });
  }

  function palette() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    return {
      accent: colour('accent'), muted: colour('muted'), warm: colour('warm'), line: colour('line'),
      text: colour('text'), font: `11px ${getComputedStyle(document.body).fontFamily}`,
    };
  }

  /// Opens a chart for drawing in CSS pixels: {context, left, right, top, bottom, colours}.
  function openChart(canvas) {
    const scale = devicePixelRatio || 1;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
    if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
    const context = canvas.getContext('2d');
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    const colours = palette();
    context.font = colours.font;
    context.textBaseline = 'middle';
    return { context, colours, left: kAxis, right: width - 1, top: 10, bottom: height - 18 };
  }

  const slotX = (chart, slot) => chart.left + (chart.right - chart.left) * (slot + 0.5) / kSlots;

  function gridLine(chart, y, label) {
    const { context, colours } = chart;
    context.strokeStyle = colours.line;
    context.lineWidth = 1;
    context.setLineDash([]);
    context.beginPath();
    context.moveTo(chart.left, Math.round(y) + 0.5);
    context.lineTo(chart.right, Math.round(y) + 0.5);
    context.stroke();
    context.fillStyle = colours.muted;
    context.textAlign = 'right';
    context.fillText(label, chart.left - 8, y);
  }

  function timeAxis(chart) {
    const { context, colours } = chart;
    context.fillStyle = colours.muted;
    const y = chart.bottom + 11;
    [['left', chart.left, '30 s ago'], ['center', (chart.left + chart.right) / 2, '15 s'],
      ['right', chart.right, 'now']].forEach(([align, x, label]) => {
      context.textAlign = align;
      context.fillText(label, x, y);
    });
    if (history.hover === null) return;
    const x = Math.round(slotX(chart, history.hover)) + 0.5;
    context.strokeStyle = colours.text;
    context.lineWidth = 1;
    context.setLineDash([]);
    context.beginPath();
    context.moveTo(x, chart.top);
    context.lineTo(x, chart.bottom);
    context.stroke();
  }

  /// A line over all readings with a value; gaps stay gaps, a lone reading becomes a dot.
  function plot(chart, value, toY, { colour, dash = [], area = false }) {
    const { context } = chart;
    context.strokeStyle = context.fillStyle = colour;
    context.lineWidth = 1.75;
    context.lineJoin = 'round';
    context.setLineDash(dash);
    let run = [];
    const flush = () => {
      if (run.length) drawRun(chart, run, area);
      run = [];
    };
    history.readings.forEach((reading, slot) => {
      const v = reading ? value(reading) : null;
      if (isNumber(v)) run.push([slotX(chart, slot), toY(v)]);
      else flush();
    });
    flush();
    context.setLineDash([]);
  }

  function drawRun({ context, bottom }, run, area) {
    context.beginPath();
    if (run.length === 1) context.arc(run[0][0], run[0][1], 1.5, 0, 7);
    if (run.length === 1) return context.fill();
    run.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.stroke();
    if (!area) return undefined;
    context.lineTo(run[run.length - 1][0], bottom);
    context.lineTo(run[0][0], bottom);
    context.globalAlpha = 0.12;
    context.fill();
    context.globalAlpha = 1;
    return undefined;
  }

  function niceCeiling(value) {
    const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
    return [1, 2, 2.5, 5, 10].map((step) => step * power).find((top) => top >= value) || 10;
  }
  const compact = (v) => (v >= 1000 ? `${+(v / 1000).toFixed(1)}k` : `${v}`);

  function drawRate() {
    const chart = openChart($('chart-rps'));
    const top = niceCeiling(Math.max(10, ...history.readings.map((r) => (r && r.requests_per_s) || 0)));
    const toY = (v) => chart.bottom - (chart.bottom - chart.top) * v / top;
    [0, top / 2, top].forEach((v) => gridLine(chart, toY(v), compact(v)));
    plot(chart, (r) => r.requests_per_s, toY, { colour: chart.colours.accent, area: true });
    timeAxis(chart);
  }

  function drawLatency() {
    const chart = openChart($('chart-latency'));
    const all = history.readings.flatMap((r) => (r && r.latency ? [r.latency.p50, r.latency.p99] : []));
    const low = Math.floor(Math.log10(Math.max(0.01, Math.min(0.1, ...all))));
    const high = Math.max(low + 2, Math.ceil(Math.log10(Math.max(10, ...all))));
    const toY = (ms) => chart.bottom
      - (chart.bottom - chart.top) * (Math.log10(Math.max(ms, 10 ** low)) - low) / (high - low);
    for (let power = low; power <= high; ++power) {
      const ms = 10 ** power;
      gridLine(chart, toY(ms), ms >= 1000 ? `${ms / 1000} s` : ms >= 1 ? `${ms} ms` : `${Math.round(ms * 1000)} µs`);
    }
    const { accent, muted, warm } = chart.colours;
    plot(chart, (r) => r.latency && r.latency.p99, toY, { colour: warm, dash: [1.5, 2.5] });
    plot(chart, (r) => r.latency && r.latency.p95, toY, { colour: muted, dash: [4, 3] });
    plot(chart, (r) => r.latency && r.latency.p50, toY, { colour: accent });
    timeAxis(chart);
  }

  // Rows are powers of two: 1, 2, 3 to 4, 5 to 8, ... up to the largest batch. The shade says which
  // share of the interval's requests rode in batches of that size.
  const batchChart = {
    rows: [],
    prepare() {
      this.rows = [];
      for (let high = 1, low = 1; low <= maxBatch; low = high + 1, high *= 2) {
        this.rows.push({ low, high: Math.min(high, maxBatch) });
      }
      scheduleCharts();
    },
    shares(reading) {
      const shares = this.rows.map(() => 0);
      let total = 0;
      for (const [size, count] of reading.batches) {
        const row = Math.min(this.rows.length - 1, Math.ceil(Math.log2(size)));
        shares[row] += size * count;
        total += size * count;
      }
      return total ? shares.map((value) => value / total) : null;
    },
    draw() {
      const chart = openChart($('chart-batch'));
      const { context, colours } = chart;
      const height = (chart.bottom - chart.top) / this.rows.length;
      const width = (chart.right - chart.left) / kSlots;
      this.rows.forEach(({ low, high }, row) => {
        gridLine(chart, chart.bottom - row * height, '');
        context.fillText(low === high ? `${low}` : `${low}–${high}`, chart.left - 8, chart.bottom - (row + 0.5) * height);
      });
      context.fillStyle = colours.accent;
      history.readings.forEach((reading, slot) => {
        const shares = reading && this.shares(reading);
        if (!shares) return;
        shares.forEach((share, row) => {
          if (!share) return;
          context.globalAlpha = 0.18 + 0.82 * share;
          const left = Math.round(chart.left + slot * width);
          const right = Math.round(chart.left + (slot + 1) * width);
          context.fillRect(left, chart.bottom - (row + 1) * height + 1, right - left, height - 1);
        });
      });
      context.globalAlpha = 1;
      timeAxis(chart);
    },
  };

  function drawCharts() {
    drawRate();
    batchChart.draw();
    drawLatency();
    const shown = history.hover === null ? history.readings[kSlots - 1] : history.readings[history.hover];
    showReading(shown);
    $('live-note').textContent = history.hover === null ? 'Last 30 seconds, four readings a second'
      : `${decimal((kSlots - 1 - history.hover) / 4)} s ago`;
  }

  /// Without traffic the figures of the last busy reading stay, greyed.
  function showReading(reading) {
    const busy = (r) => r && r.latency;
    const stale = history.hover === null && !busy(reading);
    const r = stale ? [...history.readings].reverse().find(busy) : reading;
    $('live').toggleAttribute('data-stale', stale);
    const pair = (times) => (times ? `${milliseconds(times.p50)} / ${milliseconds(times.p99)}` : kDash);
    const latency = (r && r.latency) || {};
    $('live-rps').textContent = number(reading && reading.requests_per_s);
    $('live-batch').textContent = decimal(r && r.mean_batch);
    $('live-p50').textContent = milliseconds(latency.p50);
    $('live-p95').textContent = milliseconds(latency.p95);
    $('live-p99').textContent = milliseconds(latency.p99);
    $('live-in-flight').textContent = number(reading && reading.in_flight);
    $('live-queue').textContent = number(reading && reading.queue_depth);
    $('live-queue-time').textContent = pair(r && r.queue_ms);
    $('live-compute-time').textContent = pair(r && r.compute_ms);
  }

  function startCharts() {
    batchChart.prepare();
    for (const canvas of document.querySelectorAll('.charts canvas')) {
      new ResizeObserver(scheduleCharts).observe(canvas);
      canvas.addEventListener('pointermove', (event) => {
        const x = event.clientX - canvas.getBoundingClientRect().left - kAxis;
        history.hover = clamp(Math.floor(x / (canvas.clientWidth - kAxis - 1) * kSlots), 0, kSlots - 1);
        scheduleCharts();
      });
      canvas.addEventListener('pointerleave', () => { history.hover = null; scheduleCharts(); });
    }
  }

  // ---------------------------------------------------------------- the event stream

  const stream = { source: null, failures: 0, timer: 0, watchdog: 0 };

  function showConnection(state, text) {
    $('connection').dataset.state = state;
    if ($('connection-text').textContent !== text) $('connection-text').textContent = text;
  }

  function openStream() {
    closeStream();
    showConnection('connecting', stream.failures ? 'Reconnecting' : 'Connecting');
    stream.source = new EventSource('v1/stream');
    stream.source.addEventListener('stats', (event) => onStreamEvent(event, onStats));
    stream.source.addEventListener('fire', (event) => onStreamEvent(event, onFire));
    stream.source.addEventListener('error', streamFailed);
    watch();
  }

  /// Ten seconds of silence count as a lost connection: a sleeping laptop gets no error event.
  function watch() {
    clearTimeout(stream.watchdog);
    stream.watchdog = setTimeout(streamFailed, 10000);
  }

  function onStreamEvent(event, use) {
    let data;
    try { data = JSON.parse(event.data); } catch { return; }
    if (stream.failures && !gallery.records) loadPage(gallery.offset);
    stream.failures = 0;
    showConnection('live', 'Live');
    watch();
    use(data);
  }

  function onStats(stats) {
    const busy = Array.isArray(stats.batches) && stats.batches.length > 0;
    addReading({
      ...stats,
      batches: busy ? stats.batches : [],
      mean_batch: busy ? stats.mean_batch : null,
      latency: busy && stats.latency_ms && isNumber(stats.latency_ms.p50) ? stats.latency_ms : null,
      queue_ms: busy ? stats.queue_ms : null,
      compute_ms: busy ? stats.compute_ms : null,
    });
  }

  function closeStream() {
    clearTimeout(stream.timer);
    clearTimeout(stream.watchdog);
    if (stream.source) stream.source.close();
    stream.source = null;
  }

  function streamFailed() {
    closeStream();
    if (navigator.onLine === false) return showConnection('offline', 'Offline');
    ++stream.failures;
    return countDown(Math.min(10, 2 ** (stream.failures - 1)));
  }

  function countDown(seconds) {
    if (seconds === 0) return openStream();
    showConnection('offline', `Retry in ${seconds}${kThin}s`);
    stream.timer = setTimeout(() => countDown(seconds - 1), 1000);
    return undefined;
  }

  function startStream() {
    addEventListener('offline', () => { closeStream(); showConnection('offline', 'Offline'); });
    addEventListener('online', openStream);
    addEventListener('pagehide', closeStream);
    addEventListener('pageshow', (event) => { if (event.persisted) openStream(); });
    openStream();
  }

  // ---------------------------------------------------------------- the whole test set

  const kSweep = [1, 4, 16, 64, 256];
  const fire = { running: false, starting: false, sweep: [], seen: new Set(), runs: [] };
  const chosenConcurrency = () => Number(document.querySelector('input[name="concurrency"]:checked').value);

  async function startRun(concurrency, attempt = 0) {
    fire.starting = true;
    showFireControls();
    try {
      await request('v1/fire', {
        method: 'POST', headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ concurrency, count: heldOut }),
      });
      hideNotice();
      $('fire-status').textContent = stream.source ? `Starting, ${concurrency} in flight`
        : 'Started. Progress appears when the live connection is back.';
    } catch (error) {
      if (error.status === 409 && fire.sweep.length && attempt < 10) {  // the last run is just ending
        setTimeout(() => startRun(concurrency, attempt + 1), 250);
        return;
      }
      fire.sweep = [];
      if (error.status !== 409) $('fire-status').textContent = 'Not started';
      showNotice(error.message, error.status === 409 ? null : () => startRun(concurrency));
    }
    fire.starting = false;
    showFireControls();
  }

  function showFireControls() {
    const busy = fire.running || fire.starting;
    if (fire.running) $('fire-cancel').disabled = false;
    setDisabled($('fire-start'), busy, $('fire-cancel'));
    setDisabled($('fire-sweep'), busy, $('fire-cancel'));
    setDisabled($('fire-cancel'), !fire.running, $('fire-start'));
    for (const input of document.querySelectorAll('input[name="concurrency"]')) {
      input.disabled = busy;
    }
  }

  async function cancelRun() {
    fire.sweep = [];
    $('fire-cancel').disabled = true;
    try {
      await request('v1/fire', { method: 'DELETE' });
    } catch (error) {
      showNotice(error.message, cancelRun);
      showFireControls();
    }
  }

  const kStates = { running: 'Running', done: 'Done', cancelled: 'Cancelled', failed: 'Failed' };

  function onFire(run) {
    const key = `${run.id}/${run.elapsed_ms}/${run.done}`;
    const ended = run.state !== 'running';
    if (ended && fire.seen.has(key)) return;
    fire.running = !ended;
    showFireProgress(run);
    showFireControls();
    if (!ended) return;
    fire.seen.add(key);
    if (run.done > 0) addRun(run);
    announce($('fire-status').textContent);
    if (run.state !== 'done') fire.sweep = [];
    const next = fire.sweep.shift();
    if (next) startRun(next);
  }

  function showFireProgress(run) {
    $('fire-progress').max = Math.max(1, run.total);
    $('fire-progress').value = run.done;
    $('fire-status').textContent = `${kStates[run.state] || run.state}: ${number(run.done)} of `
      + `${number(run.total)}, ${run.concurrency} in flight`;
    $('fire-status').dataset.state = run.state;
    $('fire-accuracy').textContent = run.done ? percent(run.accuracy, 2) : kDash;
    $('fire-rate').textContent = run.done ? number(run.per_s) : kDash;
    $('fire-batch').textContent = run.done ? decimal(run.mean_batch) : kDash;
    $('fire-elapsed').textContent = milliseconds(run.elapsed_ms);
  }

  function addRun(run) {
    fire.runs.push(run);
    fire.runs.splice(0, fire.runs.length - 20);
    try { sessionStorage.setItem('runs', JSON.stringify(fire.runs)); } catch { /* private mode */ }
    showRuns();
  }

  function meter(text, share) {
    const cell = element('td', 'meter');
    const line = element('div');
    const track = element('span', 'meter-track');
    const bar = element('i');
    track.setAttribute('aria-hidden', 'true');
    bar.style.transform = `scaleX(${clamp(share || 0, 0, 1)})`;
    track.append(bar);
    line.append(element('span', 'meter-value', text), track);
    cell.append(line);
    return cell;
  }

  function runRow(run, fastest) {
    const row = element('tr');
    row.dataset.concurrency = run.concurrency;
    const first = element('td', '', number(run.concurrency));
    if (run.state !== 'done') first.append(element('small', '', run.state));
    row.append(first, meter(number(run.per_s), run.per_s / fastest),
      meter(decimal(run.mean_batch), run.mean_batch / maxBatch),
      element('td', 'accuracy', percent(run.accuracy, 2)),
      element('td', 'extra', number(run.done)), element('td', 'extra', milliseconds(run.elapsed_ms)));
    return row;
  }

  function showRuns() {
    const fastest = Math.max(1, ...fire.runs.map((run) => run.per_s || 0));
    $('runs').replaceChildren(...fire.runs.map((run) => runRow(run, fastest)));
    $('runs-empty').hidden = fire.runs.length > 0;
    $('runs-clear').hidden = fire.runs.length === 0;
  }

  function restoreRuns() {
    try {
      const kept = JSON.parse(sessionStorage.getItem('runs') || '[]');
      fire.runs = Array.isArray(kept) ? kept.filter((run) => run && isNumber(run.concurrency)) : [];
    } catch { fire.runs = []; }
    for (const run of fire.runs) fire.seen.add(`${run.id}/${run.elapsed_ms}/${run.done}`);
    showRuns();
  }

  function startFire() {
    restoreRuns();
    $('fire-form').addEventListener('submit', (event) => {
      event.preventDefault();
      if (!fire.running && !fire.starting) startRun(chosenConcurrency());
    });
    $('fire-sweep').addEventListener('click', () => {
      fire.sweep = kSweep.slice(1);
      startRun(kSweep[0]);
    });
    $('fire-cancel').addEventListener('click', cancelRun);
    $('runs-clear').addEventListener('click', () => {
      fire.runs = [];
      try { sessionStorage.removeItem('runs'); } catch { /* private mode */ }
      showRuns();
      $('fire-start').focus();
    });
  }

  // ---------------------------------------------------------------- start

  function startTheme() {
    const show = () => {
      const names = { auto: 'Auto', light: 'Light', dark: 'Dark' };
      $('theme-text').textContent = names[theme];
      $('theme').setAttribute('aria-label', `Theme: ${theme === 'auto' ? 'automatic' : theme}`);
      applyTheme();
      scheduleCharts();
    };
    $('theme').addEventListener('click', () => {
      theme = kThemes[(kThemes.indexOf(theme) + 1) % kThemes.length];
      remember('theme', theme);
      show();
    });
    darkScheme.addEventListener('change', show);
    show();
  }

  function start() {
    startTheme();
    buildBars();
    buildSeats();
    startCharts();
    startGallery();
    startSketch();
    startFire();
    $('notice-close').addEventListener('click', hideNotice);
    $('notice-retry').addEventListener('click', () => { hideNotice(); if (notice.retry) notice.retry(); });
    const info = () => loadInfo().catch((error) => showNotice(error.message, info));
    info();
    startStream();
    document.documentElement.dataset.ready = '';
  }

  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start);
  else start();
})();
