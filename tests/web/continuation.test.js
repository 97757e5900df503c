/** What outlasts a connection: what was typed comes to the server, once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Continuation } from '../../web/continuation.js';
import { CallFailure } from '../../web/failure.js';

/** @param {any} message */
const message = (message) => message;
const STARTED = message({ type: 'session.started', session_id: 's', call_token: 'ct_s', event_id: 1 });
/** @param {number} newest */
const resumed = (newest, complete = true) => message({ type: 'session.resumed', session_id: 's', newest, complete });
/** @param {string} text @param {number} event_id */
const taken = (text, event_id) => message({ type: 'asr.final', text, event_id });

/** A call in which these were typed. @param {...string} texts */
function typing(...texts) {
  const going = new Continuation();
  assert.deepEqual(going.told(STARTED), []);
  texts.forEach((text) => going.typed(text));
  return going;
}

test('what was typed into a dead connection is sent again over the next one', () => {
  const going = typing('Hello.');
  assert.deepEqual(going.told(resumed(1)), ['Hello.']);
  assert.deepEqual(going.told(taken('Hello.', 2)), []);
  assert.deepEqual(going.told(resumed(2)), []);
});

test('and not before all that was missed is known, for it may have come', () => {
  const going = typing('One.', ' Two. ', 'Three.');
  assert.deepEqual(going.told(resumed(4)), []);
  assert.deepEqual(going.told(message({ type: 'session.updated', event_id: 2 })), []);
  assert.deepEqual(going.told(taken('Two.', 3)), []);
  assert.deepEqual(going.told(taken('One.', 4)), ['Three.']);
});

test('what is typed meanwhile goes over the new connection and no second time', () => {
  const going = typing('Lost.');
  assert.deepEqual(going.told(resumed(2)), []);
  going.typed('New.');
  assert.deepEqual(going.told(message({ type: 'tts.end', event_id: 2 })), ['Lost.']);
  assert.deepEqual(going.told(resumed(2)), ['Lost.', 'New.']);
});

test('what the server took or refused is not sent again', () => {
  const going = typing('Same.', 'Same.', 'Too much.');
  going.told(taken('Same.', 2));
  going.told(taken('Same.', 3));
  going.told(message({ type: 'error', code: 'busy', turn: 3, event_id: 4 }));
  assert.deepEqual(going.told(resumed(4)), []);
});

test('where it cannot be known whether it came, nothing is said twice', () => {
  const going = typing('Hello.');
  assert.deepEqual(going.told(resumed(400, false)), []);
  assert.deepEqual(going.told(taken('Something else.', 400)), []);
});

test('a new call is told what the one before was not', () => {
  const going = typing('Hello.');
  going.thread = null;
  assert.deepEqual(going.told(STARTED), ['Hello.']);
});

test('a call that is over leaves nothing for the next', () => {
  const going = typing('Hello.');
  going.told(message({ type: 'session.ended', reason: 'idle' }));
  assert.deepEqual(going.told(STARTED), []);
});

test('a new call is begun unasked where a mishap has ended the one before, and not where somebody did', () => {
  const mayBeginAnew = (/** @type {string | undefined} */ reason) => new CallFailure('call_ended', { reason }).mayBeginAnew;
  assert.deepEqual(['connection_lost', 'shutdown', 'error', undefined].map(mayBeginAnew), [true, true, true, true]);
  assert.deepEqual(['operator', 'caller', 'disabled', 'time_limit', 'idle', 'assistant'].filter(mayBeginAnew), []);
  assert.ok(new CallFailure('no_such_call').mayBeginAnew);
  assert.ok(!new CallFailure('server_gone').mayBeginAnew);
});
