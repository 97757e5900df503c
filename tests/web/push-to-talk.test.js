/** Holding to talk. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PushToTalk } from '../../web/push-to-talk.js';

/** The line and a clock that the test moves on. @param {import('node:test').TestContext} context */
function line(context) {
  /** @type {string[]} */
  const told = [];
  let now = 0;
  /** @type {Map<number, {at: number, act: () => void}>} */
  const timers = new Map();
  let ids = 0;
  context.mock.method(globalThis, 'setTimeout', (/** @type {() => void} */ act, /** @type {number} */ ms) => {
    timers.set(++ids, { at: now + ms, act });
    return ids;
  });
  context.mock.method(globalThis, 'clearTimeout', (/** @type {number} */ id) => timers.delete(id));
  const pass = (/** @type {number} */ ms) => {
    now += ms;
    for (const [id, { at, act }] of [...timers]) {
      if (at <= now && timers.delete(id)) act();
    }
  };
  return { hold: new PushToTalk({ open: () => told.push('open'), close: () => told.push('close') }), told, pass };
}

test('the line stays open a moment after the release: the last syllable is still on its way', (context) => {
  const { hold, told, pass } = line(context);
  hold.press();
  pass(2000);
  hold.release();
  pass(140);
  assert.deepEqual(told, ['open']);
  pass(20);
  assert.deepEqual(told, ['open', 'close']);
});

test('a key that slipped for a moment does not end the turn', (context) => {
  const { hold, told, pass } = line(context);
  hold.press();
  hold.release();
  pass(100);
  hold.press();
  pass(1000);
  assert.deepEqual(told, ['open']);
  hold.release();
  pass(150);
  hold.press();
  assert.deepEqual(told, ['open', 'close', 'open']);
});

test('one press is one turn, however often it is told of', (context) => {
  const { hold, told, pass } = line(context);
  hold.press();
  hold.press();
  hold.release();
  hold.release();
  pass(1000);
  assert.deepEqual(told, ['open', 'close']);
});

test('switching push-to-talk off ends the turn that is held, once', (context) => {
  const { hold, told, pass } = line(context);
  hold.end();
  assert.deepEqual(told, []);
  hold.press();
  hold.end();
  hold.release();
  pass(1000);
  assert.deepEqual(told, ['open', 'close']);
});
