/** The pure parts of the worklets: PCM, resampling, the jitter buffer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Blocks, fromPcm16, toPcm16 } from '../../web/audio/pcm.js';
import { Playout } from '../../web/audio/playout.js';
import { Resampler } from '../../web/audio/resampler.js';

/** @param {number} hz @param {number} rate @param {number} count */
const tone = (hz, rate, count) => Float32Array.from({ length: count }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hz * i) / rate));

/** @param {Resampler} resampler @param {Float32Array} input @param {number} size */
function inPieces(resampler, input, size) {
  const output = [];
  for (let i = 0; i < input.length; i += size) output.push(...resampler.process(input.subarray(i, i + size)));
  return Float32Array.from(output);
}

/** Root mean square. @param {Float32Array} samples */
const rms = (samples) => Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);

test('PCM16 survives the way there and back, clipped at full scale', () => {
  const bytes = toPcm16(Float32Array.of(0, 0.5, -0.5, 2, -2));
  assert.deepEqual([...new Int16Array(bytes)], [0, 16384, -16383, 32767, -32767]);
  assert.ok(Math.abs(fromPcm16(bytes)[1] - 0.5) < 1e-4);
});

test('blocks have one size, and nothing is lost between them', () => {
  const blocks = new Blocks(320);
  const out = [];
  for (let i = 0; i < 10; i++) out.push(...blocks.push(Float32Array.from({ length: 128 }, (_, j) => i * 128 + j)));
  assert.deepEqual(out.map(({ length }) => length), [320, 320, 320, 320]);
  assert.deepEqual([...out.flatMap((block) => [...block])], Array.from({ length: 1280 }, (_, i) => i));
});

for (const [from, to] of [[48000, 16000], [44100, 16000], [24000, 48000], [24000, 44100], [96000, 16000]]) {
  test(`a tone keeps its pitch and level from ${from} to ${to} Hz`, () => {
    const out = inPieces(new Resampler(from, to), tone(1000, from, from), 128);
    assert.ok(Math.abs(out.length - to) <= 1, `${out.length} samples`);
    const body = out.subarray(to / 10 | 0);
    assert.ok(Math.abs(rms(body) - rms(tone(1000, to, to))) < 0.002, `level ${rms(body)}`);
    const rising = body.reduce((count, x, i) => count + (i > 0 && body[i - 1] < 0 && x >= 0 ? 1 : 0), 0);
    assert.ok(Math.abs(rising - 900) <= 1, `${rising} periods`);
  });
}

test('what 16 kHz cannot hold does not fold back as noise', () => {
  const out = inPieces(new Resampler(48000, 16000), tone(11000, 48000, 48000), 128);
  assert.ok(20 * Math.log10(rms(out.subarray(1600)) / rms(tone(11000, 48000, 48000))) < -60);
});

test('pieces of any size give the same stream', () => {
  const input = tone(440, 44100, 4410);
  assert.deepEqual(inPieces(new Resampler(44100, 16000), input, 128), inPieces(new Resampler(44100, 16000), input, 4410));
});

/** Pulls so many samples in quanta of 128. @param {Playout} playout @param {number} count */
function pull(playout, count) {
  const out = new Float32Array(count);
  for (let i = 0; i < count; i += 128) playout.pull(out.subarray(i, i + 128));
  return out;
}
const ones = (count) => new Float32Array(count).fill(1);

test('audio waits until enough has been gathered', () => {
  const playout = new Playout(16000, 60);
  playout.push(ones(320));
  assert.equal(pull(playout, 128)[0], 0);
  playout.push(ones(320));
  playout.push(ones(320));
  assert.equal(pull(playout, 128)[0], 1);
});

test('a word shorter than the buffer is played all the same', () => {
  const playout = new Playout(16000, 60);
  playout.push(ones(320));
  pull(playout, 2048);
  assert.equal(playout.played, 320);
});

test("a turn's audio is counted from its own start, also behind a cut or an unfinished turn", () => {
  const playout = new Playout(16000, 20);
  playout.begin();
  playout.push(new Float32Array(640));
  playout.pull(new Float32Array(320));
  assert.equal(playout.playedOfTurn, 320);
  playout.begin();
  playout.push(new Float32Array(640));
  playout.pull(new Float32Array(320));
  assert.equal(playout.playedOfTurn, 0);
  playout.pull(new Float32Array(320));
  assert.equal(playout.playedOfTurn, 320);
  playout.drop();
  playout.begin();
  playout.push(new Float32Array(640));
  playout.pull(new Float32Array(320));
  assert.equal(playout.playedOfTurn, 320);
});

test('only what sounded counts as played: not silence, not what was cut', () => {
  const playout = new Playout(16000, 20);
  pull(playout, 1280);
  playout.push(ones(3200));
  pull(playout, 1280);
  assert.equal(playout.played, 1280);
  playout.drop();
  const silence = pull(playout, 1280);
  assert.equal(playout.played, 1280);
  assert.ok(Math.abs(silence[1279]) < 1e-6);
});

test('a cut fades within a few ms instead of clicking', () => {
  const playout = new Playout(48000, 0);
  playout.push(ones(4800));
  pull(playout, 1280);
  playout.drop();
  const out = pull(playout, 1280);
  assert.ok(out[0] > 0.9 && out[480] < 0.001);
});

test('a held answer is silent at once and goes on where it stopped', () => {
  const playout = new Playout(16000, 20);
  playout.push(Float32Array.from({ length: 640 }, (_, i) => i));
  pull(playout, 256);
  playout.hold();
  pull(playout, 1280);
  assert.equal(playout.played, 256);
  playout.release();
  assert.equal(pull(playout, 128)[0], 256);
  assert.equal(playout.underruns, 0);
});

test('a new turn sounds, also when the one before it was held and nothing released it', () => {
  const playout = new Playout(16000, 20);
  playout.begin();
  playout.push(ones(320));
  playout.hold();
  pull(playout, 256);
  playout.begin();
  playout.push(ones(640));
  assert.equal(pull(playout, 1024)[0], 1);
  assert.deepEqual([playout.played, playout.playedOfTurn], [960, 640]);
});

test('the last words sound to their end, however much was to be gathered', () => {
  const playout = new Playout(16000, 200);
  playout.push(ones(640));
  playout.hold();
  playout.finish();
  assert.equal(pull(playout, 640)[639], 1);
  assert.equal(playout.depth, 0);
});

test('audio that came too late is a gap; the next phrase is not', () => {
  const playout = new Playout(16000, 20);
  playout.push(ones(640));
  pull(playout, 1280);
  playout.push(ones(640));
  assert.equal(playout.underruns, 1);
  pull(playout, 16000);
  playout.push(ones(640));
  assert.equal(playout.underruns, 1);
});

test('a server that does not pace cannot fill the memory, and keeps its place', () => {
  const playout = new Playout(16000, 20);
  for (let i = 0; i < 1000; i++) playout.push(ones(320));
  assert.equal(playout.depth, 160000);
  assert.equal(playout.played, 160000);
});
