/** The state of a call: what follows from what. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INITIAL, isBusy, isSilenced, isUp, reduce } from '../../web/call.js';

/** @param {...any} events */
const after = (...events) => events.reduce(reduce, INITIAL);
/** @param {any} state @param {...any} events */
const then = (state, ...events) => events.reduce(reduce, state);

const DIALLED = [
  { type: 'call.asked', at: 0 },
  { type: 'microphone.ready', kind: 'live' },
  { type: 'transport.trying', transport: 'webrtc' },
];
const UP = [...DIALLED, { type: 'session.started', at: 1000, session_id: 's' }];
const ANSWERING = [...UP, { type: 'llm.partial', turn: 1, token: 'One two three' }, { type: 'tts.start', turn: 1 }];

test('a press asks for the microphone, then connects, then listens', () => {
  assert.equal(INITIAL.phase, 'ready');
  assert.equal(after(DIALLED[0]).phase, 'asking');
  assert.equal(after(...DIALLED).phase, 'connecting');
  assert.equal(after(...UP).phase, 'listening');
});

test('a turn goes from hearing through thinking and speaking back to listening', () => {
  const phases = [];
  let state = after(...UP);
  for (const event of [
    { type: 'speech.started', turn: 1 },
    { type: 'speech.stopped', turn: 1 },
    { type: 'asr.final', turn: 1, text: 'Hello' },
    { type: 'tts.start', turn: 1 },
    { type: 'tts.end', turn: 1 },
  ]) {
    state = then(state, event);
    phases.push(state.phase);
  }
  assert.deepEqual(phases, ['hearing', 'thinking', 'thinking', 'speaking', 'listening']);
});

test('noise that held the answer lets it go on', () => {
  const held = after(...ANSWERING, { type: 'playback.held', turn: 1 });
  assert.equal(held.phase, 'held');
  assert.equal(then(held, { type: 'playback.released', turn: 1 }).phase, 'speaking');
});

test('barging in shows that the caller is heard, and after the cut still does', () => {
  const speaking = after(...ANSWERING, { type: 'playback.held', turn: 1 }, { type: 'speech.started', turn: 2 });
  assert.equal(speaking.phase, 'hearing');
  const cut = then(speaking, { type: 'turn.interrupted', turn: 1, heard: 'One' });
  assert.equal(cut.phase, 'hearing');
  assert.equal(cut.playing, null);
  assert.equal(cut.turns[0].answer.heard, 3);
});

test('what the server sees of the network is shown while the call lasts', () => {
  const seen = then(after(...UP), { type: 'network', loss: 0.1, round_trip_ms: 40, at: 7 });
  assert.equal(seen.network.loss, 0.1);
  assert.equal(seen.network.at, 7);
  assert.equal(seen.phase, 'listening');
  assert.equal(then(seen, { type: 'call.lost', at: 2000 }).network, null);
});

test('words that were not understood lead back to listening', () => {
  const state = after(...UP, { type: 'speech.started', turn: 1 }, { type: 'speech.stopped', turn: 1 });
  assert.equal(then(state, { type: 'asr.final', turn: 1, text: '' }).phase, 'listening');
});

test('a typed message cuts the answer and is thought about', () => {
  const state = after(...ANSWERING, { type: 'text.sent', text: 'stop' }, { type: 'turn.interrupted', turn: 1, heard: 'One' });
  assert.equal(state.phase, 'thinking');
});

test('a typed message is thought about also when it cuts an answer that had not begun to sound', () => {
  const thinking = after(...UP, { type: 'asr.final', turn: 1, text: 'Hello' }, { type: 'text.sent', text: 'stop' });
  const cut = { type: 'turn.interrupted', turn: 1, heard: '' };
  const echo = { type: 'asr.final', turn: 2, text: 'stop' };
  assert.equal(then(thinking, cut, echo).phase, 'thinking');
  assert.equal(then(thinking, echo, cut).phase, 'thinking');
  assert.equal(then(thinking, echo, cut, { type: 'turn.interrupted', turn: 2, heard: '' }).phase, 'listening');
});

test('the release of an answer that was cut meanwhile does not end the thinking about the next', () => {
  const state = after(...ANSWERING, { type: 'playback.held', turn: 1 }, { type: 'turn.interrupted', turn: 1, heard: 'One' },
    { type: 'asr.final', turn: 2, text: 'Hello' }, { type: 'playback.released', turn: 1 });
  assert.equal(state.phase, 'thinking');
  assert.ok(!state.held);
});

test('a blocked microphone is an error, and calling without one still works', () => {
  const blocked = after(DIALLED[0], { type: 'microphone.refused', problem: { code: 'microphone_blocked' } });
  assert.equal(blocked.phase, 'error');
  assert.equal(blocked.problem.code, 'microphone_blocked');
  const typing = then(blocked, { type: 'call.asked', at: 1 }, { type: 'microphone.ready', kind: 'none' }, UP[3]);
  assert.equal(typing.phase, 'listening');
  assert.equal(typing.microphone, 'none');
});

test('falling back keeps dialling and remembers why', () => {
  const state = after(
    ...DIALLED,
    { type: 'transport.fell_back', reason: 'webrtc_blocked' },
    { type: 'transport.trying', transport: 'websocket' },
    UP[3],
  );
  assert.equal(state.phase, 'listening');
  assert.equal(state.transport, 'websocket');
  assert.equal(state.fallback, 'webrtc_blocked');
});

test('a full server is tried again when it said so, and the wait can be cancelled', () => {
  const full = after(...DIALLED, { type: 'call.full', problem: { code: 'server_full' }, retry_s: 7, at: 500 });
  assert.equal(full.phase, 'error');
  assert.equal(full.retryAt, 7500);
  assert.ok(isBusy(full));
  assert.equal(then(full, { type: 'call.retried' }).phase, 'connecting');
  const cancelled = then(full, { type: 'call.hung_up', at: 600 });
  assert.equal(cancelled.phase, 'ready');
  assert.equal(cancelled.retryAt, null);
});

test('a server that is full, then restarts, is dialled until it is back', () => {
  const draining = after(...DIALLED, { type: 'call.full', problem: { code: 'draining' }, retry_s: 5, at: 500 });
  const closed = then(draining, { type: 'call.retried' }, { type: 'call.lost', at: 6000 });
  assert.equal(closed.phase, 'reconnecting');
  assert.equal(closed.retryAt, 6500);
  assert.equal(then(closed, { type: 'transport.trying', transport: 'webrtc' }, UP[3]).phase, 'listening');
  assert.equal(then(closed, { type: 'call.hung_up', at: 6400 }).phase, 'ready');
});

test('no two pages dial again in the same instant, and none before a full server said', () => {
  const lost = (/** @type {number} */ chance) => after(...ANSWERING, { type: 'call.lost', at: 2000, chance }).retryAt;
  assert.deepEqual([lost(0), lost(0.5), lost(1)], [2375, 2500, 2625]);
  const full = (/** @type {number} */ chance) =>
    after(...DIALLED, { type: 'call.full', problem: { code: 'server_full' }, retry_s: 8, at: 0, chance }).retryAt;
  assert.deepEqual([full(0), full(1)], [8000, 10000]);
});

test('a lost call is dialled again, a little later each time, and then given up', () => {
  let state = after(...ANSWERING);
  const waits = [];
  for (let at = 2000; ; at += 100) {
    state = then(state, { type: 'call.lost', at });
    if (state.phase !== 'reconnecting') break;
    waits.push(state.retryAt - at);
    state = then(state, { type: 'transport.trying', transport: 'webrtc' });
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 15000, 30000]);
  assert.equal(state.phase, 'error');
  assert.equal(state.problem.code, 'server_gone');
  assert.equal(state.turns.length, 1);
});

test('a call that was steady again starts counting its losses anew', () => {
  const lost = after(...UP, { type: 'call.lost', at: 2000 }, { type: 'session.started', at: 5000 });
  assert.equal(then(lost, { type: 'call.lost', at: 6000 }).attempt, 2);
  assert.equal(then(lost, { type: 'call.lost', at: 16000 }).attempt, 1);
});

test('a call that is taken up goes on where it was', () => {
  const resumed = { type: 'session.resumed', at: 5000, session_id: 's', voice_mode: 'conversation', complete: true };
  const lost = after(...ANSWERING, { type: 'call.lost', at: 2000 });
  const state = then(lost, { type: 'transport.trying', transport: 'websocket' }, resumed);
  assert.equal(state.phase, 'listening');
  assert.equal(state.call, 1);
  assert.deepEqual(state.turns, lost.turns);
  const [{ number, answer }] = state.turns;
  assert.equal(answer.heard, null);
  const on = then(state, { type: 'tts.start', turn: number }, { type: 'llm.partial', turn: number, token: ' And on.' });
  assert.equal(on.phase, 'speaking');
  assert.equal(on.turns.length, 1);
  assert.ok(on.turns[0].answer.text.endsWith(' And on.'));
});

test('a new call closes what the lost one had left open', () => {
  const open = after(...ANSWERING, { type: 'caption', turn: 1, text: 'It', offset: 0, start_ms: 0 });
  const state = then(open, { type: 'call.lost', at: 2000 }, { type: 'session.started', at: 5000 });
  assert.equal(state.call, 2);
  assert.ok(state.turns.every(({ answer }) => !answer?.now));
});

test('reconnecting keeps the words and marks them as those of another session', () => {
  const state = after(...ANSWERING, { type: 'call.lost', at: 2000 }, { type: 'session.started', at: 5000 },
    { type: 'llm.partial', turn: 1, token: 'Again' });
  assert.deepEqual(state.turns.map(({ call, answer }) => [call, answer.text]), [[1, 'One two three'], [2, 'Again']]);
});

test('a server that never answered fails the first call at once', () => {
  assert.equal(after(...DIALLED, { type: 'call.lost', at: 100 }).problem.code, 'server_gone');
});

test('hanging up ends a call, and gives up one that had not begun', () => {
  const ended = after(...UP, { type: 'call.hung_up', at: 61000 });
  assert.equal(ended.phase, 'ended');
  assert.equal(ended.endedAt - ended.startedAt, 60000);
  assert.equal(after(...DIALLED, { type: 'call.hung_up', at: 5 }).phase, 'ready');
});

test('the call limit ends the call and says why', () => {
  const state = after(...UP, { type: 'session.ended', reason: 'time_limit', at: 5000 });
  assert.equal(state.phase, 'ended');
  assert.equal(state.endReason, 'time_limit');
});

test('calling again after an end begins a new conversation', () => {
  const again = after(...ANSWERING, { type: 'call.hung_up', at: 9000 }, { type: 'call.asked', at: 10000 });
  assert.deepEqual(again.turns, []);
  assert.equal(again.startedAt, null);
});

test('push-to-talk sends nothing until it is held', () => {
  const on = after(...UP, { type: 'push_to_talk.set', on: true });
  assert.ok(isSilenced(on));
  const held = then(on, { type: 'talking.set', talking: true });
  assert.ok(!isSilenced(held));
  assert.ok(isSilenced(then(held, { type: 'talking.set', talking: false })));
});

test('mute silences without push-to-talk', () => {
  assert.ok(!isSilenced(after(...UP)));
  assert.ok(isSilenced(after(...UP, { type: 'muted.set', muted: true })));
});

test('a fault that the call survives is shown until the next words are understood', () => {
  const warned = after(...UP, { type: 'error', code: 'tts_failed', message: 'm', action: 'a', turn: 1 });
  assert.ok(isUp(warned));
  assert.equal(warned.problem.code, 'tts_failed');
  assert.equal(then(warned, { type: 'asr.final', turn: 2, text: 'Hello' }).problem, null);
  const typed = then(warned, { type: 'text.sent', text: 'Hi' }, { type: 'asr.final', turn: 2, text: 'Hi', confidence: 1 });
  assert.equal(typed.problem, null);
});

test('a fault that was put away is shown again when it happens again', () => {
  const fault = { type: 'error', code: 'tts_failed', message: 'm', action: 'a' };
  const away = after(...UP, fault, { type: 'problem.dismissed' });
  assert.equal(away.problem, null);
  assert.equal(then(away, fault).problem.code, 'tts_failed');
});

test('a microphone that is lost in a call leaves typing, and may come back', () => {
  const lost = after(...UP, { type: 'push_to_talk.set', on: true }, { type: 'talking.set', talking: true }, { type: 'microphone.lost' });
  assert.deepEqual([lost.phase, lost.microphone, lost.talking], ['listening', 'lost', false]);
  const refused = then(lost, { type: 'microphone.refused', problem: { code: 'microphone_missing' } });
  assert.deepEqual([refused.phase, refused.problem.code], ['listening', 'microphone_missing']);
  const back = then(refused, { type: 'microphone.ready', kind: 'live' });
  assert.deepEqual([back.phase, back.microphone, back.problem], ['listening', 'live', null]);
  assert.equal(after({ type: 'microphone.lost' }), INITIAL);
});

test('what this browser cannot do is not tried in the next call either; what went wrong once is', () => {
  const next = (/** @type {string} */ reason) =>
    after(...DIALLED, { type: 'transport.fell_back', reason }, UP[3], { type: 'call.hung_up', at: 9 }, { type: 'call.asked', at: 10 });
  assert.equal(next('webrtc_blocked').fallback, 'webrtc_blocked');
  assert.equal(next('http_500').fallback, null);
});

test('what makes no sense now changes nothing', () => {
  assert.equal(after({ type: 'tts.start', turn: 1 }), INITIAL);
  assert.equal(after({ type: 'call.hung_up', at: 1 }), INITIAL);
  const up = after(...UP);
  assert.equal(then(up, { type: 'call.asked', at: 2 }), up);
  assert.equal(then(up, { type: 'something.new' }), up);
});
