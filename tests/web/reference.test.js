/** The page of the API: what it makes of an OpenAPI document. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { curl, quoted } from '../../web/reference/curl.js';
import { access, operationsByTag, resolved } from '../../web/reference/document.js';
import { example, exampleOfMedia } from '../../web/reference/example.js';

const doc = JSON.parse(readFileSync(new URL('openapi.sample.json', import.meta.url), 'utf8'));
const byTag = operationsByTag(doc);
const all = [...byTag.values()].flat();
/** @param {string} id */
const operation = (id) => all.find((one) => one.id === id) ?? assert.fail(id);
const server = 'http://127.0.0.1:8080';
/** @param {string} name */
const schema = (name) => ({ $ref: `#/components/schemas/${name}` });

/** What the shell makes of a line. @param {string} line */
function words(line) {
  const script = `curl() { printf '%s\\0' "$@"; }\n${line}`;
  return execFileSync('sh', ['-c', script], { encoding: 'utf8', env: { INZWA_KEY: 'K' } }).split('\0').slice(0, -1);
}

test('tags that the document lists come first, the others as they come', () => {
  assert.deepEqual([...byTag.keys()], ['speech', 'notes', 'other']);
  assert.deepEqual(all.map(({ method, path }) => `${method} ${path}`), [
    'POST /v1/speak', 'POST /v1/hear', 'GET /v1/notes/{id}', 'DELETE /v1/notes/{id}', 'PUT /v1/offer',
  ]);
});

test('parameters of a path belong to each of its operations', () => {
  assert.deepEqual(operation('get_note').parameters.map(({ name }) => name), ['id', 'lang']);
});

test('a reference that leads nowhere, or to itself, is an error and no endless search', () => {
  assert.throws(() => resolved(doc, schema('Nothing')), /Nothing/);
  assert.throws(() => resolved(doc, { $ref: 'https://elsewhere.example/x' }), /elsewhere/);
  const circle = { ...doc, components: { schemas: { A: { $ref: '#/components/schemas/A' } } } };
  assert.throws(() => resolved(circle, schema('A')));
});

test('who may ask is told in words', () => {
  assert.match(access(operation('get_note')), /Anybody/);
  assert.match(access(operation('speak')), /unless the server lets in anybody/);
  assert.equal(access({ ...operation('speak'), security: [{ bearer: [] }] }), 'Takes a key.');
});

test('an example has what is required, with what is given as an example', () => {
  assert.deepEqual(example(doc, schema('Speak')), { text: "It's a fine day", format: 'opus' });
  assert.deepEqual(example(doc, schema('ErrorBody')), { code: '...', message: '...', action: '...' });
  assert.equal(exampleOfMedia(doc, { examples: { one: { value: 5 } }, schema: { type: 'string' } }), 5);
});

test('an example of what holds itself ends', () => {
  assert.deepEqual(example(doc, schema('Note')), { text: '...', answers: [] });
});

test('any text is one word for the shell, unchanged', () => {
  for (const text of ["it's", 'a b', '$HOME `x`', '{"a": "\'b\'"}', 'plain', '', 'two\nlines']) {
    assert.deepEqual(words(`curl ${quoted(text)}`), [text]);
  }
});

test('the line for the shell sends the example as JSON, with a key', () => {
  assert.deepEqual(words(curl(doc, operation('speak'), server)), [
    '--no-buffer', `${server}/v1/speak`, '--header', 'Authorization: Bearer K',
    '--header', 'Content-Type: application/json', '--data', JSON.stringify({ text: "It's a fine day", format: 'opus' }),
  ]);
});

test('the line for the shell names the method where curl would take another', () => {
  assert.deepEqual(words(curl(doc, operation('get_note'), server)), [`${server}/v1/notes/ID`]);
  assert.deepEqual(words(curl(doc, operation('delete-v1-notes-id-'), server)).slice(0, 2), ['--request', 'DELETE']);
  assert.deepEqual(words(curl(doc, operation('hear'), server)), [`${server}/v1/hear`, '--form', 'file=@FILE', '--form', 'model=...']);
  assert.deepEqual(words(curl(doc, operation('offer'), server)), [
    '--request', 'PUT', `${server}/v1/offer`, '--header', 'If-Match: ...',
    '--header', 'Content-Type: application/sdp', '--data-binary', '@FILE',
  ]);
});
