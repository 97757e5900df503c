/** Words, quality, and that the page names nothing that is not there. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { gradeOfPackets, gradeOfUnderruns, PacketStats } from '../../web/quality.js';
import { fill } from '../../web/words.js';

const web = new URL('../../web/', import.meta.url);
/** @param {string} name */
const read = (name) => readFileSync(new URL(name, web), 'utf8');
const english = JSON.parse(read('strings/en.json'));
const shona = JSON.parse(read('strings/sn.json'));
const sources = ['', 'view/', 'audio/'].flatMap((folder) =>
  readdirSync(new URL(folder || '.', web)).filter((name) => name.endsWith('.js')).map((name) => folder + name),
);

test('every word that the page names is in the English strings', () => {
  const html = [...read('index.html').matchAll(/data-t(?:-label|-placeholder)?="(\w+)"/g)].map(([, key]) => key);
  const code = sources.flatMap((name) => [...read(name).matchAll(/\bt\('(\w+)'/g)].map(([, key]) => key));
  assert.deepEqual([...html, ...code].filter((key) => !(key in english)), []);
});

test('every phase has its word', () => {
  const phases = read('types.d.ts').match(/type Phase =([^;]+);/)?.[1].match(/\w+/g) ?? [];
  assert.ok(phases.length > 10);
  assert.deepEqual(phases.filter((phase) => !english[`phase_${phase}`]), []);
});

test('each error says what happened and what to do', () => {
  const errors = Object.keys(english).filter((key) => key.startsWith('error_'));
  assert.deepEqual(errors.filter((key) => !english[key.replace('error_', 'do_')]), []);
});

test('Shona has no words that English lacks, marks the unsure ones, and fills the same gaps', () => {
  const keys = Object.keys(shona).filter((key) => !key.startsWith('_'));
  assert.deepEqual(keys.filter((key) => !(key in english)), []);
  assert.deepEqual(shona._unsure.filter((/** @type {string} */ key) => !(key in shona)), []);
  const gaps = (/** @type {string} */ text) => (text.match(/\{\w+\}/g) ?? []).sort().join();
  assert.deepEqual(keys.filter((key) => gaps(shona[key]) !== gaps(english[key])), []);
});

test('the page asks for nothing from elsewhere and carries no inline script or style', () => {
  const html = read('index.html');
  assert.doesNotMatch(html, /https?:\/\/|\sstyle=|<style|\son\w+=|<script(?![^>]*\ssrc=)/);
  for (const name of sources) assert.doesNotMatch(read(name), /['"`]https?:\/\//);
});

test('no file is longer than 300 lines', () => {
  const long = [...sources, 'index.html', 'types.d.ts', ...readdirSync(new URL('style/', web)).map((name) => `style/${name}`)]
    .filter((name) => read(name).split('\n').length > 300);
  assert.deepEqual(long, []);
});

test('values fill their places, and an unknown place stays', () => {
  assert.equal(fill('{a} of {b}', { a: 1 }), '1 of {b}');
});

test('a connection is as good as its worst number', () => {
  assert.equal(gradeOfPackets({ rtt_ms: 40, loss: 0, jitter_ms: 5 }), 'good');
  assert.equal(gradeOfPackets({ rtt_ms: 40, loss: 0.05, jitter_ms: 5 }), 'fair');
  assert.equal(gradeOfPackets({ rtt_ms: 900, loss: 0, jitter_ms: 5 }), 'poor');
  assert.deepEqual([0, 1, 9].map(gradeOfUnderruns), ['good', 'fair', 'poor']);
});

test('loss is that of the last moments, not of the whole call', () => {
  const stats = new PacketStats();
  const report = (/** @type {number} */ packetsLost, /** @type {number} */ packetsReceived) =>
    new Map([['a', { type: 'inbound-rtp', kind: 'audio', jitter: 0.004, packetsLost, packetsReceived }]]);
  assert.equal(stats.read(report(50, 50)).loss, 0.5);
  assert.equal(stats.read(report(50, 150)).loss, 0);
});
