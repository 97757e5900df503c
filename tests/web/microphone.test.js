/** Which microphone stays open, and which does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallFailure } from '../../web/failure.js';
import { Microphone } from '../../web/microphone.js';

/** A stream whose only track knows whether it was stopped. @param {string} name */
function device(name) {
  const track = { onended: () => {}, isLive: true, stop: () => (track.isLive = false) };
  return /** @type {any} */ ({ name, track, getTracks: () => [track], getAudioTracks: () => [track] });
}

/** A microphone that is opened by hand, as a person answers the browser's question. */
function asked() {
  /** @type {Record<string, {resolve: (stream: any) => void, reject: (error: Error) => void}>} */
  const answers = {};
  let losses = 0;
  const microphone = new Microphone(
    () => losses++,
    (name) => new Promise((resolve, reject) => (answers[name] = { resolve, reject })),
  );
  return { microphone, answers, losses: () => losses };
}

test('the last one asked for is in use, in whatever order they open', async () => {
  const { microphone, answers } = asked();
  const [slow, fast] = [microphone.open('slow'), microphone.open('fast')];
  const [first, second] = [device('slow'), device('fast')];
  answers.fast.resolve(second);
  assert.equal(await fast, true);
  answers.slow.resolve(first);
  assert.equal(await slow, false);
  assert.equal(microphone.stream, second);
  assert.deepEqual([first.track.isLive, second.track.isLive], [false, true]);
});

test('one that is allowed after it was given back does not stay open', async () => {
  const { microphone, answers } = asked();
  const opening = microphone.open('a');
  microphone.close();
  const late = device('a');
  answers.a.resolve(late);
  assert.equal(await opening, false);
  assert.deepEqual([microphone.stream, late.track.isLive], [null, false]);
});

test('the one before is closed only once the new one is in use', async () => {
  const { microphone, answers } = asked();
  const [before, after] = [device('a'), device('b')];
  const first = microphone.open('a');
  answers.a.resolve(before);
  await first;
  /** @type {boolean[]} */
  const seen = [];
  const second = microphone.open('b', () => seen.push(before.track.isLive, after.track.isLive));
  answers.b.resolve(after);
  await second;
  assert.deepEqual(seen, [true, true]);
  assert.deepEqual([before.track.isLive, after.track.isLive], [false, true]);
});

test('hanging up while the new one is being taken closes both', async () => {
  const { microphone, answers } = asked();
  const [before, after] = [device('a'), device('b')];
  const first = microphone.open('a');
  answers.a.resolve(before);
  await first;
  const second = microphone.open('b', () => microphone.close());
  answers.b.resolve(after);
  assert.equal(await second, false);
  assert.deepEqual([microphone.stream, before.track.isLive, after.track.isLive], [null, false, false]);
});

test('a refusal leaves the one in use, and is told unless nobody waits for it', async () => {
  const { microphone, answers } = asked();
  const before = device('a');
  const first = microphone.open('a');
  answers.a.resolve(before);
  await first;
  const blocked = microphone.open('b');
  answers.b.reject(new CallFailure('microphone_blocked'));
  await assert.rejects(blocked, { code: 'microphone_blocked' });
  assert.ok(before.track.isLive && microphone.stream === before);
  const given_up = microphone.open('c');
  microphone.close();
  answers.c.reject(new CallFailure('microphone_blocked'));
  assert.equal(await given_up, false);
});

test('a device that goes away is told once it is the one in use', async () => {
  const { microphone, answers, losses } = asked();
  const [before, after] = [device('a'), device('b')];
  for (const stream of [before, after]) {
    const opening = microphone.open(stream.name);
    answers[stream.name].resolve(stream);
    await opening;
  }
  before.track.onended();
  assert.equal(losses(), 0);
  after.track.onended();
  assert.equal(losses(), 1);
});
