/** The words of a call, turn by turn. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heardLength, nextTurns, unitsBefore } from '../../web/conversation.js';
import { transcriptOf } from '../../web/transcript.js';

/** @param {...any} events */
const after = (...events) => events.reduce((turns, event) => nextTurns(turns, 1, event), []);

test("each partial replaces the one before, and the final settles", () => {
  const partials = [{ type: 'asr.partial', turn: 1, text: 'tell' }, { type: 'asr.partial', turn: 1, text: 'tell me' }];
  assert.deepEqual(after(...partials)[0].caller, { text: 'tell me', settled: false, typed: false });
  const final = after(...partials, { type: 'asr.final', turn: 1, text: ' Tell me. ' });
  assert.deepEqual(final[0].caller, { text: 'Tell me.', settled: true, typed: false });
});

test('an empty final leaves no trace of noise, and marks words that had been seen', () => {
  assert.deepEqual(after({ type: 'asr.final', turn: 1, text: '' }), []);
  const seen = after({ type: 'asr.partial', turn: 1, text: 'hm' }, { type: 'asr.final', turn: 1, text: '' });
  assert.deepEqual(seen[0].caller, { text: '', settled: true, typed: false });
});

test('the greeting is an answer without a caller', () => {
  const [turn] = after({ type: 'llm.partial', turn: 0, token: 'Hello.' });
  assert.equal(turn.caller, null);
  assert.equal(turn.answer.text, 'Hello.');
});

test('tokens build the answer and the final text settles it', () => {
  const tokens = ['It', ' is', ' four.'].map((token) => ({ type: 'llm.partial', turn: 1, token }));
  assert.equal(after(...tokens)[0].answer.text, 'It is four.');
  const [{ answer }] = after(...tokens, { type: 'llm.final', turn: 1, text: 'It is four.' });
  assert.ok(answer.settled);
});

test('a caption marks the word that is being spoken, and the end of sound leaves none marked', () => {
  const spoken = [
    { type: 'llm.final', turn: 1, text: 'It is four.' },
    { type: 'caption', turn: 1, text: 'is ', offset: 3, start_ms: 100, estimated: false },
  ];
  assert.deepEqual(after(...spoken)[0].answer.now, { from: 3, to: 5 });
  const [{ answer }] = after(...spoken, { type: 'tts.end', turn: 1 });
  assert.equal(answer.now, null);
  assert.equal(answer.said, 11);
});

test('a word behind an emoji is marked where it stands: the server counts code points', () => {
  const text = 'Sun 🌞 and 👩‍🌾 rain';
  const offset = [...text].length - 4;
  const [{ answer }] = after(
    { type: 'llm.final', turn: 1, text },
    { type: 'caption', turn: 1, text: 'rain', offset, start_ms: 0, estimated: false },
  );
  assert.equal(text.slice(answer.now.from, answer.now.to), 'rain');
  assert.equal(unitsBefore('ab', 9), 2);
});

test('what was cut is told from what was heard, though their white space differs', () => {
  assert.equal(heardLength('One  two three', 'One two'), 8);
  assert.equal(heardLength('One two', ''), 0);
  assert.equal(heardLength('One two', 'One two'), 7);
  assert.equal(heardLength('Mangwanani 🌞 shamwari', 'Mangwanani 🌞'), 13);
});

test('text that arrives after the cut counts as not heard', () => {
  const [{ answer }] = after(
    { type: 'llm.partial', turn: 1, token: 'One two' },
    { type: 'turn.interrupted', turn: 1, heard: 'One' },
    { type: 'llm.final', turn: 1, text: 'One two three' },
    { type: 'tts.end', turn: 1 },
  );
  assert.equal(answer.text.slice(answer.heard), ' two three');
  assert.equal(answer.said, 3);
});

test('a typed message is shown at once, and again as the turn that the server makes of it', () => {
  const typed = after({ type: 'text.sent', text: 'Hello' });
  assert.deepEqual([typed[0].number, typed[0].caller.text], [null, 'Hello']);
  const numbered = nextTurns(typed, 1, { type: 'asr.final', turn: 4, text: 'Hello', confidence: 1 });
  assert.deepEqual(numbered, [{ ...typed[0], number: 4 }]);
});

test('of two typed messages each gets its own answer, though only the second is answered', () => {
  const turns = after(
    { type: 'text.sent', text: 'What time is it?' },
    { type: 'text.sent', text: 'Stop' },
    { type: 'asr.final', turn: 1, text: 'What time is it?' },
    { type: 'asr.final', turn: 2, text: 'Stop' },
    { type: 'llm.partial', turn: 2, token: 'Right.' },
  );
  assert.deepEqual(turns.map(({ number, caller, answer }) => [number, caller.text, answer?.text]),
    [[1, 'What time is it?', undefined], [2, 'Stop', 'Right.']]);
});

test('an answer to nobody does not take up a typed message that waits', () => {
  const turns = after({ type: 'text.sent', text: 'Hello' }, { type: 'llm.partial', turn: 3, token: 'Are you there?' });
  assert.deepEqual(turns.map(({ number, answer }) => [number, answer?.text]), [[null, undefined], [3, 'Are you there?']]);
});

test('what was said while a typed message waits stays apart from it', () => {
  const turns = after({ type: 'text.sent', text: 'Hello' }, { type: 'asr.final', turn: 3, text: 'Good day' });
  assert.deepEqual(turns.map(({ number, caller }) => [number, caller.text]), [[null, 'Hello'], [3, 'Good day']]);
});

test('an answer that the connection cut off ends where it was', () => {
  const [{ answer }] = after(
    { type: 'llm.partial', turn: 1, token: 'One two' },
    { type: 'caption', turn: 1, text: 'One', offset: 0, start_ms: 0, estimated: false },
    { type: 'session.ended', reason: 'connection_lost' },
  );
  assert.deepEqual([answer.now, answer.heard], [null, 3]);
});

test('a transcript tells what was not heard and what was not understood', () => {
  const turns = after(
    { type: 'asr.final', turn: 1, text: 'Tell me' },
    { type: 'llm.partial', turn: 1, token: 'One two' },
    { type: 'turn.interrupted', turn: 1, heard: 'One' },
    { type: 'asr.partial', turn: 2, text: 'hm' },
    { type: 'asr.final', turn: 2, text: '' },
  );
  assert.equal(
    transcriptOf(turns, (key) => key),
    'caller: Tell me\n\nassistant: One [not_heard: two]\n\ncaller: not_understood\n',
  );
});

test('of a call that goes on for days the oldest turns are let go, and no two share a key', () => {
  let turns = after();
  for (let turn = 0; turn < 2100; turn++) turns = nextTurns(turns, 1, { type: 'llm.final', turn, text: 'Yes.' });
  assert.deepEqual([turns.length, turns[0].number, turns.at(-1).number], [2000, 100, 2099]);
  assert.equal(new Set(turns.map(({ key }) => key)).size, 2000);
});
