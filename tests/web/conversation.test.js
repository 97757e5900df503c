/** The words of a call, turn by turn. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heardLength, nextTurns } from '../../web/conversation.js';
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
    { type: 'caption', turn: 1, text: 'is ', offset: 3, start_ms: 100 },
  ];
  assert.deepEqual(after(...spoken)[0].answer.now, { from: 3, to: 5 });
  const [{ answer }] = after(...spoken, { type: 'tts.end', turn: 1 });
  assert.equal(answer.now, null);
  assert.equal(answer.said, 11);
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

test('a typed message is shown at once and taken up by the answer to it', () => {
  const typed = after({ type: 'text.sent', text: 'Hello' });
  assert.deepEqual([typed[0].number, typed[0].caller.text], [null, 'Hello']);
  const answered = nextTurns(typed, 1, { type: 'llm.partial', turn: 4, token: 'Hi' });
  assert.equal(answered.length, 1);
  assert.deepEqual([answered[0].number, answered[0].answer.text, answered[0].key], [4, 'Hi', typed[0].key]);
});

test('a typed message that the server echoes is not shown twice', () => {
  const turns = after({ type: 'text.sent', text: 'Hello' }, { type: 'asr.final', turn: 4, text: 'Hello' });
  assert.equal(turns.length, 1);
  assert.equal(turns[0].number, 4);
});

test('an answer that the connection cut off ends where it was', () => {
  const [{ answer }] = after(
    { type: 'llm.partial', turn: 1, token: 'One two' },
    { type: 'caption', turn: 1, text: 'One', offset: 0, start_ms: 0 },
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
