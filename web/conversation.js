/**
 * The words of a call, turn by turn: what was said, answered, heard and cut.
 *
 * A turn is found by the server's number within its session. A typed message is
 * shown before the server has numbered it, and gets its number from the server's
 * `asr.final` with the same text.
 */
/** @import {Answer, Event, Turn} from './types.js' */

/** What is kept of a call that goes on for days; an hour has some 300. */
const MOST_TURNS = 2000;

/** @type {Answer} */
const NO_ANSWER = { text: '', settled: false, now: null, said: 0, heard: null };

/**
 * @param {Turn[]} turns
 * @param {number} call Which session of the conversation this is.
 * @param {Event} event
 * @returns {Turn[]} The same array when nothing changed.
 */
export function nextTurns(turns, call, event) {
  switch (event.type) {
    case 'text.sent':
      return [...turns, typedTurn(turns, call, event.text)].slice(-MOST_TURNS);
    case 'asr.partial':
      return event.text.trim() ? change(turns, call, event.turn, (turn) => partial(turn, event.text)) : turns;
    case 'asr.final':
      return final(turns, call, event);
    case 'llm.partial':
      return answer(turns, call, event.turn, ({ text }) => ({ text: text + event.token }));
    case 'llm.final':
      return answer(turns, call, event.turn, ({ text }) => ({ text: event.text || text, settled: true }));
    case 'tts.start':
      return answer(turns, call, event.turn, () => ({}));
    case 'caption':
      return answer(turns, call, event.turn, ({ text }) => spoken(text, event.offset, event.text));
    case 'tts.end':
      return answer(turns, call, event.turn, ({ text, heard }) => ({ now: null, said: heard ?? text.length }));
    case 'turn.interrupted':
      return has(turns, call, event.turn) ? answer(turns, call, event.turn, (before) => cut(before, event.heard)) : turns;
    case 'turn.metrics': {
      const { silence_ms, transcript_ms, first_token_ms, first_audio_ms } = event;
      const latency = { silence_ms, transcript_ms, first_token_ms, first_audio_ms };
      return change(turns, call, event.turn, (turn) => ({ ...turn, latency }));
    }
    case 'session.resumed':
      return event.complete ? turns : turns.map((turn, i) => (i === turns.length - 1 ? { ...turn, gap: true } : turn));
    case 'session.ended':
      return closed(turns);
    default:
      return turns;
  }
}

/** @param {Turn[]} turns @param {number} call @param {string} text @returns {Turn} */
function typedTurn(turns, call, text) {
  const caller = { text, settled: true, typed: true };
  return { call, number: null, key: nextKey(turns), caller, answer: null, latency: null };
}

/** @param {Turn} turn @param {string} text @returns {Turn} */
function partial(turn, text) {
  return turn.caller?.settled ? turn : { ...turn, caller: { text, settled: false, typed: false } };
}

/**
 * @param {Turn[]} turns @param {number} call
 * @param {Extract<Event, {type: 'asr.final'}>} event
 */
function final(turns, call, { turn: number, text }) {
  const typed = turns.findIndex((turn) => isWaiting(turn, call) && turn.caller?.text.trim() === text.trim());
  if (typed >= 0 && !has(turns, call, number)) return turns.map((turn, i) => (i === typed ? { ...turn, number } : turn));
  // Noise that never showed as words leaves no trace.
  if (!text.trim() && !turns.some((turn) => is(turn, call, number) && turn.caller)) return turns;
  return change(turns, call, number, (turn) =>
    turn.caller?.typed ? turn : { ...turn, caller: { text: text.trim(), settled: true, typed: false } },
  );
}

/**
 * @param {Turn[]} turns @param {number} call @param {number} number
 * @param {(answer: Answer) => Partial<Answer>} update
 */
function answer(turns, call, number, update) {
  return change(turns, call, number, (turn) => {
    const before = turn.answer ?? NO_ANSWER;
    return { ...turn, answer: { ...before, ...update(before) } };
  });
}

/** @param {string} text @param {number} offset In code points. @param {string} word */
function spoken(text, offset, word) {
  const from = unitsBefore(text, offset);
  const to = from + word.trimEnd().length;
  return { now: { from, to }, said: to };
}

/**
 * Where the code point at `offset` begins: the server counts code points, JavaScript UTF-16 units.
 *
 * @param {string} text @param {number} offset
 */
export function unitsBefore(text, offset) {
  let at = 0;
  for (let left = offset; left > 0 && at < text.length; left--) at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  return at;
}

/** @param {Answer} answer @param {string} heard @returns {Partial<Answer>} */
function cut({ text }, heard) {
  const length = heardLength(text, heard);
  return { heard: length, said: length, now: null, settled: true };
}

/**
 * How many characters of `text` were heard; white space may differ between the two.
 *
 * @param {string} text @param {string} heard
 */
export function heardLength(text, heard) {
  let at = 0;
  for (const letter of heard.replace(/\s+/g, '')) {
    while (at < text.length && /\s/.test(text[at])) at++;
    if (!text.startsWith(letter, at)) break;
    at += letter.length;
  }
  return at;
}

/** Nothing is being spoken any more, and no words will settle. @param {Turn[]} turns */
function closed(turns) {
  const isOpen = (/** @type {Turn} */ turn) =>
    turn.number === null || turn.answer?.now || (turn.caller && !turn.caller.settled);
  if (!turns.some(isOpen)) return turns;
  return turns.map((turn) =>
    isOpen(turn)
      ? {
          ...turn,
          number: turn.number ?? -1,
          caller: turn.caller && { ...turn.caller, settled: true },
          answer: turn.answer && unspoken(turn.answer),
        }
      : turn,
  );
}

/** The call broke off in the midst of this answer. @param {Answer} answer @returns {Answer} */
function unspoken(answer) {
  return answer.now ? { ...answer, now: null, heard: answer.heard ?? answer.said } : answer;
}

/**
 * The turns with one of them changed, or begun.
 *
 * @param {Turn[]} turns @param {number} call @param {number} number
 * @param {(turn: Turn) => Turn} update
 */
function change(turns, call, number, update) {
  const at = turns.findIndex((turn) => is(turn, call, number));
  if (at >= 0) return turns.map((turn, i) => (i === at ? update(turn) : turn));
  const turn = { call, number, key: nextKey(turns), caller: null, answer: null, latency: null };
  return [...turns, update(turn)].slice(-MOST_TURNS);
}

/** @param {Turn[]} turns */
const nextKey = (turns) => (turns.at(-1)?.key ?? 0) + 1;

/** @param {Turn} turn @param {number} call @param {number} number */
const is = (turn, call, number) => turn.call === call && turn.number === number;

/** @param {Turn} turn @param {number} call */
const isWaiting = (turn, call) => turn.call === call && turn.number === null;

/** @param {Turn[]} turns @param {number} call @param {number} number */
const has = (turns, call, number) => turns.some((turn) => is(turn, call, number));
