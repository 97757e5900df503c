/** What a failure means for the next step, and when a path is dead. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallFailure, failureOf } from '../../web/failure.js';
import { Lifeline } from '../../web/lifeline.js';

test('whatever goes wrong with WebRTC leaves the WebSocket to be tried, unless the server itself refuses', () => {
  const isOfTransport = (/** @type {string} */ code) => new CallFailure(code).isOfTransport;
  const codes = ['webrtc_blocked', 'webrtc_disabled', 'http_500', 'http_502', 'timeout', 'internal', 'bad_offer', 'no_audio', 'no_media_port'];
  assert.deepEqual(codes.filter((code) => !isOfTransport(code)), []);
  const refusals = ['server_full', 'server_busy', 'draining', 'server_gone', 'voice_disabled', 'origin_refused', 'host_refused'];
  assert.deepEqual(refusals.filter(isOfTransport), []);
});

test('what a browser throws while connecting is a failure of that transport', (context) => {
  context.mock.method(console, 'error', () => {});
  assert.equal(failureOf(new TypeError('no'), 'webrtc').code, 'webrtc_failed');
  assert.equal(failureOf(new TypeError('no'), 'websocket').code, 'unknown');
  const full = new CallFailure('server_full');
  assert.equal(failureOf(full, 'webrtc'), full);
});

/**
 * Sends 640 bytes each 20 ms, of which `leaves` tells how many go, to a server that speaks all the time.
 *
 * @param {(at: number) => number} leaves @returns {number} When the path was held to be dead, ms.
 */
function sendUntilDead(leaves) {
  const lifeline = new Lifeline(0);
  let waiting = 0;
  for (let at = 0; at < 60000; at += 20) {
    waiting = Math.max(0, waiting - leaves(at));
    lifeline.heard(at);
    if (lifeline.isDead(waiting, at)) return at;
    if (waiting <= 64000) waiting += 640;
    lifeline.sent(waiting);
  }
  return Infinity;
}

test('a path on which nothing leaves for 5 s is dead', () => {
  assert.equal(sendUntilDead((at) => (at < 1000 ? 640 : 0)), 5980);
});

test('a slow path is not dead, nor is one that stalls for a moment', () => {
  assert.equal(sendUntilDead(() => 100), Infinity);
  assert.equal(sendUntilDead((at) => (at % 6000 < 4500 ? 0 : 6400)), Infinity);
});

test('a page that slept while nothing waited wakes to a path that is well', () => {
  const lifeline = new Lifeline(0);
  assert.ok(!lifeline.isDead(0, 0));
  lifeline.sent(640);
  assert.ok(!lifeline.isDead(0, 90000));
});

/** @param {Lifeline} lifeline @param {number} from @param {number} to @returns {number[]} When the server was asked. */
function listen(lifeline, from, to) {
  const asked = [];
  for (let at = from; at <= to; at += 20) {
    if (lifeline.isToBeAsked(at)) asked.push(at);
  }
  return asked;
}

test('a server that says nothing for a while is asked once, and is dead when it does not answer', () => {
  const lifeline = new Lifeline(0);
  assert.deepEqual(listen(lifeline, 0, 12000), [5000]);
  assert.ok(!lifeline.isDead(0, 12980));
  assert.ok(lifeline.isDead(0, 13000));
});

test('a server that answers is asked again only after the next silence', () => {
  const lifeline = new Lifeline(0);
  listen(lifeline, 0, 5000);
  lifeline.heard(5040);
  assert.deepEqual(listen(lifeline, 5040, 11000), [10040]);
  lifeline.heard(10080);
  assert.ok(!lifeline.isDead(0, 14000));
});
