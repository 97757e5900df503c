/** Words, quality, and that the page names nothing that is not there. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { gradeOf, gradeOfPackets, gradeOfUnderruns, PacketStats } from '../../web/quality.js';
import { numbersOf } from '../../web/view/chip.js';
import { fill } from '../../web/words.js';

const web = new URL('../../web/', import.meta.url);
/** @param {string} name */
const read = (name) => readFileSync(new URL(name, web), 'utf8');
/** The pages, each with its own words. @param {string[]} folders */
const modules = (...folders) => folders.flatMap((folder) =>
  readdirSync(new URL(folder || '.', web)).filter((name) => name.endsWith('.js')).map((name) => folder + name),
);
const pages = [
  { html: 'index.html', words: 'strings/', sources: modules('', 'view/', 'audio/') },
  { html: 'dashboard.html', words: 'strings/dashboard/', sources: modules('dashboard/', 'dashboard/view/') },
].map((page) => ({ ...page, english: JSON.parse(read(`${page.words}en.json`)), shona: JSON.parse(read(`${page.words}sn.json`)) }));
const sources = pages.flatMap((page) => page.sources);
const english = pages[0].english;

test('every word that a page names is in its English strings', () => {
  for (const page of pages) {
    const html = [...read(page.html).matchAll(/data-t(?:-label|-placeholder)?="(\w+)"/g)].map(([, key]) => key);
    const code = page.sources.flatMap((name) => [...read(name).matchAll(/\bt\('(\w+)'/g)].map(([, key]) => key));
    assert.deepEqual([...html, ...code].filter((key) => !(key in page.english)), []);
  }
});

test('the dashboard has a word for every state that the server tells', () => {
  const { english: words } = pages[1];
  const told = read('dashboard/types.d.ts').match(/state: ('[^;]+);/)?.[1].match(/\w+/g) ?? [];
  assert.ok(told.length > 5);
  assert.deepEqual(told.filter((state) => !words[`state_${state}`]), []);
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
  for (const { english, shona } of pages) {
    const keys = Object.keys(shona).filter((key) => !key.startsWith('_'));
    assert.deepEqual(keys.filter((key) => !(key in english)), []);
    assert.deepEqual(shona._unsure.filter((/** @type {string} */ key) => !(key in shona)), []);
    const gaps = (/** @type {string} */ text) => (text.match(/\{\w+\}/g) ?? []).sort().join();
    assert.deepEqual(keys.filter((key) => gaps(shona[key]) !== gaps(english[key])), []);
  }
});

test('no page asks for anything from elsewhere or carries inline script or style', () => {
  for (const { html } of pages) assert.doesNotMatch(read(html), /https?:\/\/|\sstyle=|<style|\son\w+=|<script(?![^>]*\ssrc=)/);
  const namespace = "'http://www.w3.org/2000/svg'"; // a name, which nobody asks for
  for (const name of sources) assert.doesNotMatch(read(name).replace(namespace, ''), /['"`]https?:\/\//);
});

test('no file is longer than 300 lines', () => {
  const long = [...sources, ...pages.map(({ html }) => html), 'types.d.ts', ...readdirSync(new URL('style/', web)).map((name) => `style/${name}`)]
    .filter((name) => read(name).split('\n').length > 300);
  assert.deepEqual(long, []);
});

test('values fill their places, and an unknown place stays', () => {
  assert.equal(fill('{a} of {b}', { a: 1 }), '1 of {b}');
});

const NETWORK = { loss: 0, lost_outward: 0, jitter_ms: 4, concealed_ms: 0, buffer_ms: 20, round_trip_ms: 40, score: 4.3 };
const report = (/** @type {number} */ packetsLost, /** @type {number} */ packetsReceived) =>
  new Map([['a', { type: 'inbound-rtp', kind: 'audio', jitter: 0.004, packetsLost, packetsReceived }]]);

test('a connection is as good as its worst number', () => {
  assert.equal(gradeOfPackets({ rtt_ms: 40, loss: 0, jitter_ms: 5 }), 'good');
  assert.equal(gradeOfPackets({ rtt_ms: 40, loss: 0.05, jitter_ms: 5 }), 'fair');
  assert.equal(gradeOfPackets({ rtt_ms: 900, loss: 0, jitter_ms: 5 }), 'poor');
  assert.deepEqual([0, 1, 9].map(gradeOfUnderruns), ['good', 'fair', 'poor']);
});

test('a call is as good as the worse of its two ways', () => {
  const network = { ...NETWORK, at: 1000 };
  assert.equal(gradeOf({ grade: 'fair' }, null, 1000), 'fair');
  assert.equal(gradeOf({ grade: 'fair' }, network, 1000), 'fair');
  assert.equal(gradeOf({ grade: 'good' }, { ...network, score: 4.02 }, 1000), 'fair');
  assert.equal(gradeOf({ grade: 'good' }, { ...network, score: 3.1 }, 1000), 'fair');
  assert.equal(gradeOf({ grade: 'good' }, { ...network, score: 3.09 }, 1000), 'poor');
});

test('what the server told of the network is good for two of its periods, and then it hears nothing', () => {
  const network = { ...NETWORK, at: 1000 };
  assert.equal(gradeOf({ grade: 'good' }, network, 11000), 'good');
  assert.equal(gradeOf({ grade: 'good' }, network, 11001), 'poor');
});

test('the numbers are those of both ways, and the loss that nobody can judge is left out', () => {
  const names = (/** @type {import('../../web/types.js').Network} */ network) => numbersOf({ grade: 'good', rtt_ms: 40 }, network, (key) => key).map(([name]) => name);
  assert.deepEqual(names({ ...NETWORK, loss: 0 }), ['round_trip', 'score', 'loss_to_server', 'lost_outward', 'concealed', 'buffer']);
  assert.deepEqual(names({ ...NETWORK, loss: null }), ['round_trip', 'score', 'lost_outward', 'concealed', 'buffer']);
});

test('loss is that of the last moments, not of the whole call', () => {
  const stats = new PacketStats();
  assert.equal(stats.read(report(50, 50)).loss, 0.5);
  assert.equal(stats.read(report(50, 150)).loss, 0);
});

test('a single lost packet of the few that come in silence makes no connection fair', () => {
  const stats = new PacketStats();
  assert.equal(stats.read(report(0, 5)).loss, undefined);
  assert.deepEqual(stats.read(report(1, 9)), { grade: 'good', jitter_ms: 4, loss: undefined });
  assert.equal(stats.read(report(1, 99)).loss, 0.01);
  assert.equal(stats.read(report(2, 110)).loss, 0.01); // of the latest that could be judged
  assert.equal(stats.read(report(11, 189)).loss, 0.1);
});

test('a connection over which nothing comes any more is poor', () => {
  const stats = new PacketStats();
  assert.equal(stats.read(report(0, 0)).grade, 'good');
  assert.equal(stats.read(report(0, 300)).grade, 'good');
  assert.deepEqual(stats.read(report(0, 300)), { grade: 'poor', jitter_ms: 4, loss: undefined });
  assert.equal(stats.read(report(0, 301)).grade, 'good');
});
