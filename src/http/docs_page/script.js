'use strict';
const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== undefined && child !== ''));
  return element;
};
const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'];
let api;

const resolve = (value) => {
  for (let hops = 0; value && value.$ref && hops < 20; ++hops) {
    const target = value.$ref.replace(/^#\//, '').split('/')
      .reduce((at, key) => at && at[key.replace(/~1/g, '/').replace(/~0/g, '~')], api);
    value = { ...target, ...value, $ref: target && target.$ref };
  }
  return value || {};
};
const nameOf = (schema) => (schema.$ref ? schema.$ref.split('/').pop() : '');

// "string, 1 to 40 characters, matches ^a": one line for people.
function told(schema) {
  const named = nameOf(schema);
  const s = resolve(schema);
  const list = s.oneOf || s.anyOf;
  if (list) return (named ? named + ': ' : '') + list.map((one) => one.title || told(one)).join(' or ');
  if (s.enum) return (named ? named + ': ' : '') + s.enum.map((one) => JSON.stringify(one)).join(', ');
  if (s.const !== undefined) return JSON.stringify(s.const);
  if (s.type === 'array') return 'array of ' + told(s.items || {}) + range(s.minItems, s.maxItems, ' elements');
  if (s.type === 'object' && s.additionalProperties) return 'object of ' + told(s.additionalProperties);
  let text = named || s.type || 'anything';
  text += range(s.minLength, s.maxLength, ' characters') + range(s.minimum, s.maximum, '');
  if (s.exclusiveMinimum !== undefined) text += ', above ' + s.exclusiveMinimum;
  if (s.exclusiveMaximum !== undefined) text += ', below ' + s.exclusiveMaximum;
  if (s.pattern) text += ', matches ' + s.pattern;
  if (s.format && !['int64', 'double'].includes(s.format)) text += ', ' + s.format;
  if (s.default !== undefined) text += ', default ' + JSON.stringify(s.default);
  return text;
}
function range(least, most, unit) {
  if (least === undefined && most === undefined) return '';
  if (most === undefined) return ', at least ' + least + unit;
  return least === undefined ? ', at most ' + most + unit : ', ' + least + ' to ' + most + unit;
}

// A value that fits, to begin with.
function example(schema, depth = 0) {
  const s = resolve(schema);
  if (s.default !== undefined) return s.default;
  if (s.const !== undefined) return s.const;
  if (s.enum) return s.enum[0];
  const list = s.oneOf || s.anyOf;
  if (list) return example(list[0], depth);
  if (s.type === 'integer' || s.type === 'number') {
    const above = s.exclusiveMinimum === undefined ? 0 : s.exclusiveMinimum + 1;
    return Math.min(Math.max(s.minimum ?? above, 0), s.maximum ?? Infinity);
  }
  if (s.type === 'boolean') return false;
  if (s.type === 'array') return depth > 3 ? [] : Array.from({ length: s.minItems || 1 }, () => example(s.items || {}, depth + 1));
  if (s.type === 'object') {
    const needed = new Set(s.required || []);
    const members = Object.entries(s.properties || {}).filter(([name]) => needed.has(name) || depth < 2);
    return Object.fromEntries(members.map(([name, member]) => [name, example(member, depth + 1)]));
  }
  return s.type === 'string' ? 'x'.repeat(s.minLength || 0) || 'text' : null;
}

// The members of an object, of what its members are made of, and of each alternative.
function members(schema, depth = 0) {
  const s = resolve(schema);
  if (s.type === 'array') return members(s.items || {}, depth);
  if (s.oneOf && depth < 3) {
    return make('div', {}, ...s.oneOf.map((one) => members(one, depth)));
  }
  const needed = new Set(s.required || []);
  const rows = Object.entries(s.properties || {}).map(([name, member]) => make('tr', {},
    make('td', {}, make('code', { class: needed.has(name) ? 'needed' : '' }, name)),
    make('td', {}, make('span', { class: 'rule' }, told(member)), ' ', resolve(member).description || '', inner(member, depth))));
  return rows.length === 0 ? make('p', { class: 'rule' }, told(schema)) : make('table', {}, ...rows);
}

function inner(schema, depth) {
  const s = resolve(schema);
  const of = s.type === 'array' ? resolve(s.items) : s;
  return depth < 3 && (of.properties || of.oneOf) ? members(of, depth + 1) : '';
}

const bodyOf = (content) => content && content.content && content.content['application/json'];

function parameterRow(parameter, inputs) {
  const schema = resolve(parameter.schema);
  const hint = schema.default === undefined ? '' : JSON.stringify(schema.default);
  const input = schema.enum
    ? make('select', {}, make('option', {}, ''), ...schema.enum.map((one) => make('option', {}, one)))
    : make('input', { placeholder: hint });
  input.setAttribute('aria-label', parameter.name);
  inputs.push({ parameter, input });
  return make('tr', {},
    make('td', {}, make('code', { class: parameter.required ? 'needed' : '' }, parameter.name)),
    make('td', {}, make('span', { class: 'rule' }, parameter.in + ', ' + told(parameter.schema)), ' ', parameter.description || ''),
    make('td', {}, input));
}

function signIn(headers, operation) {
  if (operation.security && operation.security.length === 0) return;
  for (const field of document.querySelectorAll('#auth input')) {
    if (field.value !== '') headers[field.dataset.field] = field.dataset.prefix + field.value;
  }
}

async function send(path, method, operation, inputs, area, output) {
  const query = new URLSearchParams();
  const headers = {};
  for (const { parameter, input } of inputs) {
    if (parameter.in === 'path') path = path.replace('{' + parameter.name + '}', encodeURIComponent(input.value));
    if (input.value === '') continue;
    const many = resolve(parameter.schema).type === 'array';
    if (parameter.in === 'query') for (const one of many ? input.value.split(',') : [input.value]) query.append(parameter.name, one.trim());
    if (parameter.in === 'header') headers[parameter.name] = input.value;
  }
  signIn(headers, operation);
  if (area) headers['Content-Type'] = 'application/json';
  // The page may talk to its own origin only; a server may still stand under a prefix of it.
  const server = api.servers ? api.servers[0].url : '';
  const base = /^\/(?!\/)/.test(server) ? server.replace(/\/$/, '') : '';
  const began = performance.now();
  try {
    const url = base + path + (query.size ? '?' + query : '');
    const answer = await fetch(url, { method: method.toUpperCase(), headers, body: area && area.value });
    let text = await answer.text();
    try { text = JSON.stringify(JSON.parse(text), null, 2); } catch { /* shown as it is */ }
    const took = Math.round(performance.now() - began);
    output.replaceChildren(
      make('h3', { class: answer.ok ? 'good' : 'bad', 'data-status': answer.status }, answer.status + ' ' + answer.statusText + ' in ' + took + ' ms'),
      make('pre', {}, text || '(nothing)'));
  } catch (error) {
    output.replaceChildren(make('h3', { class: 'bad', 'data-status': 0 }, String(error)));
  }
}

function operationView(path, method, operation) {
  const inputs = [];
  const rows = (operation.parameters || []).map((parameter) => parameterRow(resolve(parameter), inputs));
  const body = bodyOf(operation.requestBody && resolve(operation.requestBody));
  const output = make('div', { class: 'output', 'aria-live': 'polite' });
  const inner = make('div', {}, make('p', {}, operation.description || ''));
  if (rows.length) inner.append(make('h3', {}, 'Parameters'), make('table', {}, ...rows));
  let area;
  if (body) {
    area = make('textarea', { rows: 8, spellcheck: 'false', 'aria-label': 'body' });
    area.value = JSON.stringify(example(body.schema), null, 2);
    inner.append(make('h3', {}, 'Body ', make('code', {}, nameOf(body.schema))), members(body.schema), area);
  }
  const button = make('button', {}, 'Send');
  button.addEventListener('click', () => send(path, method, operation, inputs, area, output));
  inner.append(button, output, make('h3', {}, 'Answers'));
  const answers = Object.entries(operation.responses).map(([status, answer]) => {
    const content = bodyOf(resolve(answer));
    return make('tr', {}, make('td', {}, make('code', {}, status)),
      make('td', {}, resolve(answer).description || '', content ? members(content.schema) : ''));
  });
  inner.append(make('table', {}, ...answers));
  return make('details', { id: operation.operationId, class: operation.deprecated ? 'deprecated' : '' },
    make('summary', {}, make('span', { class: 'method ' + method }, method.toUpperCase()), make('code', {}, path),
      make('span', { class: 'what' }, operation.summary || '')), inner);
}

function authView(schemes) {
  const rows = Object.entries(schemes).map(([name, scheme]) => {
    const bearer = scheme.type === 'http';
    const input = make('input', { type: 'password', autocomplete: 'off', 'aria-label': name });
    input.dataset.field = bearer ? 'Authorization' : scheme.name;
    input.dataset.prefix = bearer ? 'Bearer ' : '';
    return make('tr', {}, make('td', {}, make('code', {}, name)), make('td', { class: 'rule' }, input.dataset.field), make('td', {}, input));
  });
  return make('section', { id: 'auth' }, make('h2', {}, 'Who you are'), make('table', {}, ...rows));
}

function show() {
  document.title = api.info.title;
  const main = document.querySelector('main');
  main.replaceChildren(make('h1', {}, api.info.title + ' ', make('small', {}, api.info.version)),
    make('p', {}, api.info.description || ''));
  const schemes = api.components && api.components.securitySchemes;
  if (schemes) main.append(authView(schemes));
  const groups = new Map();
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of methods.filter((one) => item[one])) {
      const group = (item[method].tags || ['Operations'])[0];
      if (!groups.has(group)) groups.set(group, make('section', {}, make('h2', {}, group)));
      groups.get(group).append(operationView(path, method, item[method]));
    }
  }
  main.append(...groups.values());
  const chosen = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (chosen) chosen.open = true;
  document.body.dataset.ready = 'yes';
}

fetch(document.querySelector('main').dataset.document)
  .then((answer) => answer.json())
  .then((parsed) => { api = parsed; show(); })
  .catch((error) => document.querySelector('main').replaceChildren(make('p', { class: 'bad' }, 'No document: ' + error)));
