/** What the card says, and which ways on it offers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INITIAL } from '../../web/call.js';
import { noticeOf } from '../../web/view/notice.js';

const KNOWN = new Set(['error_microphone_missing', 'do_microphone_missing', 'error_server_full', 'do_server_full', 'ended_idle', 'fallback']);
/** Words that are known get brackets. @param {string} key */
const t = (key) => (KNOWN.has(key) ? `[${key}]` : key);
/** @param {any} state */
const notice = (state) => noticeOf({ ...INITIAL, phase: 'listening', microphone: 'live', ...state }, null, t);

test('a call without faults has no notice', () => {
  assert.equal(notice({}), null);
});

test('a lost microphone can be tried again, or typing goes on without it', () => {
  const lost = notice({ microphone: 'lost' });
  assert.deepEqual([lost?.what, lost?.choices], ['[error_microphone_missing]', ['retry', 'type']]);
});

test('a fault in a call is in the words of the server when the page has none, and can be put away', () => {
  const fault = notice({ problem: { code: 'tts_failed', message: 'No voice.', action: 'Ask again.' } });
  assert.deepEqual([fault?.what, fault?.how, fault?.choices, fault?.isSerious], ['No voice.', 'Ask again.', ['dismiss'], false]);
});

test('a fault that ended the call is serious and can be tried again; a full server tries itself', () => {
  const missing = notice({ phase: 'error', problem: { code: 'microphone_missing' } });
  assert.deepEqual([missing?.choices, missing?.isSerious], [['retry', 'type'], true]);
  const full = notice({ phase: 'error', problem: { code: 'server_full' }, retryAt: 1 });
  assert.deepEqual([full?.what, full?.choices, full?.isSerious], ['[error_server_full]', ['cancel'], false]);
});

test('an end is explained unless the caller or the assistant hung up', () => {
  assert.equal(notice({ phase: 'ended', endReason: 'idle' })?.what, '[ended_idle]');
  assert.equal(notice({ phase: 'ended', endReason: 'caller' }), null);
});

test('the fallback is told while the call is up', () => {
  assert.ok(notice({ fallback: 'webrtc_blocked' })?.isFallback);
  assert.equal(notice({ fallback: 'webrtc_blocked', phase: 'ended', endReason: 'caller' }), null);
});
