/**
 * The state of a call: what happened goes in, the next state comes out. No DOM, no clock.
 *
 * Theory: while a call is up, its phase is not stored but follows from four
 * facts, of which the server keeps us informed:
 *
 *   callerSpeaking              hearing you
 *   held, not so                paused for you
 *   playing a turn, not so      speaking
 *   awaiting an answer, not so  thinking
 *   none of these               listening
 *
 * An event that makes no sense in the present phase changes nothing.
 */
/** @import {Event, Phase, Problem, State} from './types.js' */
import { nextTurns } from './conversation.js';

const IN_CALL = new Set(['listening', 'hearing', 'thinking', 'speaking', 'held']);
const DIALLING = new Set(['asking', 'connecting', 'reconnecting']);

/** Pauses before each reconnection, ms; after the last, about as late as a server waits for its
 * caller, it is held to be gone. */
const BACKOFF_MS = [500, 1000, 2000, 4000, 8000, 15000, 30000];
/** Each pause is longer or shorter by up to so much: a thousand pages must not dial at once. */
const SPREAD = 0.25;
/** A call that lasted so long was steady: the next loss starts counting anew. */
const STEADY_MS = 10000;

/** @type {State} */
export const INITIAL = Object.freeze({
  phase: 'ready',
  transport: null,
  fallback: null,
  link: null,
  network: null,
  microphone: 'closed',
  muted: false,
  pushToTalk: false,
  talking: false,
  mode: 'conversation',
  callerSpeaking: false,
  playing: null,
  held: false,
  awaiting: false,
  call: 0,
  attempt: 0,
  retryAt: null,
  hasAnswered: false,
  startedAt: null,
  upAt: null,
  endedAt: null,
  endReason: null,
  problem: null,
  turns: [],
});

/** A call is up: words can be said and typed. @param {State} state */
export const isUp = (state) => IN_CALL.has(state.phase);

/** A call is up or on its way. @param {State} state */
export const isBusy = (state) => isUp(state) || DIALLING.has(state.phase) || state.retryAt !== null;

/** Nothing of the microphone is sent. @param {State} state */
export const isSilenced = (state) => (state.pushToTalk ? !state.talking : state.muted);

/**
 * @param {State} state
 * @param {Event} event
 * @returns {State} The same object when nothing changed.
 */
export function reduce(state, event) {
  switch (event.type) {
    case 'call.asked':
      return isUp(state) || DIALLING.has(state.phase) ? state : asked(state);
    case 'microphone.ready':
      if (state.phase === 'asking') return { ...state, phase: 'connecting', microphone: event.kind };
      return isBusy(state) ? { ...state, microphone: event.kind, problem: null } : state;
    case 'microphone.refused':
      if (state.phase === 'asking') return failed(state, event.problem);
      return isUp(state) ? { ...state, problem: event.problem } : state;
    case 'microphone.lost':
      return state.microphone === 'live' ? { ...state, microphone: 'lost', talking: false } : state;
    case 'problem.dismissed':
      return isUp(state) ? { ...state, problem: null } : state;
    case 'transport.trying':
      return DIALLING.has(state.phase) ? { ...state, transport: event.transport, retryAt: null } : state;
    case 'transport.fell_back':
      return DIALLING.has(state.phase) ? { ...state, fallback: event.reason } : state;
    case 'call.full':
      return DIALLING.has(state.phase) ? refused(state, event) : state;
    case 'call.retried':
      if (state.phase !== 'error' || state.retryAt === null) return state;
      return { ...state, phase: 'connecting', problem: null, retryAt: null };
    case 'call.failed':
      return isUp(state) || DIALLING.has(state.phase) ? failed(state, event.problem) : state;
    case 'call.lost':
      return isUp(state) || DIALLING.has(state.phase) ? lost(state, event.at, event.chance) : state;
    case 'call.hung_up':
      return isBusy(state) ? over(state, 'caller', event.at) : state;
    case 'link.measured':
      return isUp(state) ? { ...state, link: event.link } : state;
    case 'network':
      return isUp(state) ? { ...state, network: event } : state;
    case 'muted.set':
      return { ...state, muted: event.muted };
    case 'push_to_talk.set':
      return { ...state, pushToTalk: event.on, muted: false, talking: false };
    case 'talking.set':
      return state.pushToTalk && isUp(state) ? { ...state, talking: event.talking } : state;
    case 'text.sent':
      return isUp(state) ? withPhase({ ...told(state, event), awaiting: true, callerSpeaking: false }) : state;
    case 'session.started':
      return DIALLING.has(state.phase) ? started(state, event) : state;
    case 'session.resumed':
      return DIALLING.has(state.phase) ? resumed(state, event) : state;
    case 'session.ended':
      return isUp(state) || DIALLING.has(state.phase) ? over(state, event.reason, event.at ?? 0) : state;
    case 'error':
      return isUp(state) ? warned(state, event) : state;
    default:
      return isUp(state) ? withPhase(told(heardFromServer(state, event), event)) : state;
  }
}

/** @param {State} state @returns {State} */
function asked(state) {
  // After a fault the conversation goes on; after a call that ended a new one begins.
  const kept = state.phase === 'error' ? state : INITIAL;
  return {
    ...INITIAL,
    phase: 'asking',
    // What this browser or network cannot do is not tried again; what went wrong once is.
    fallback: state.fallback?.startsWith('webrtc_') ? state.fallback : null,
    muted: state.muted,
    pushToTalk: state.pushToTalk,
    call: kept.call,
    turns: kept.turns,
    hasAnswered: kept.startedAt !== null,
    startedAt: kept.startedAt,
  };
}

/** What every way out of a call leaves behind. @type {Partial<State>} */
const SILENT = { callerSpeaking: false, playing: null, held: false, awaiting: false, talking: false, link: null, network: null };

/** @param {State} state @param {Extract<Event, {type: 'session.started'}>} event @returns {State} */
function started(state, { at = 0, voice_mode }) {
  return {
    ...state,
    ...SILENT,
    phase: 'listening',
    mode: voice_mode ?? 'conversation',
    call: state.call + 1,
    hasAnswered: true,
    startedAt: state.startedAt ?? at,
    upAt: at,
    retryAt: null,
    problem: null,
    // What the call before it had left open is over.
    turns: nextTurns(state.turns, state.call, { type: 'session.ended', reason: 'connection_lost' }),
  };
}

/** The same call goes on. @param {State} state @param {Extract<Event, {type: 'session.resumed'}>} event @returns {State} */
function resumed(state, event) {
  const { at = 0, voice_mode } = event;
  const turns = nextTurns(state.turns, state.call, event);
  return { ...state, ...SILENT, phase: 'listening', mode: voice_mode, hasAnswered: true, upAt: at, retryAt: null, problem: null, turns };
}

/** @param {State} state @param {Problem} problem @returns {State} */
function failed(state, problem) {
  return {
    ...state,
    ...SILENT,
    phase: 'error',
    problem,
    microphone: 'closed',
    transport: null,
    attempt: 0,
    retryAt: null,
    upAt: null,
    turns: nextTurns(state.turns, state.call, { type: 'session.ended', reason: 'error' }),
  };
}

/** The server has no room now. @param {State} state @param {Extract<Event, {type: 'call.full'}>} event @returns {State} */
function refused(state, { problem, retry_s, at, chance = 0 }) {
  // Never earlier than the server said.
  const retryAt = at + Math.round(retry_s * 1000 * (1 + SPREAD * chance));
  return { ...failed(state, problem), microphone: state.microphone, hasAnswered: true, retryAt };
}

/** @param {State} state @param {number} at @param {number} [chance] 0 to 1. @returns {State} */
function lost(state, at, chance = 0.5) {
  const steady = state.upAt !== null && at - state.upAt >= STEADY_MS;
  const attempt = (steady ? 0 : state.attempt) + 1;
  // Nobody waits for a server that never answered: the first call fails at once.
  if (!state.hasAnswered || attempt > BACKOFF_MS.length) return failed(state, { code: 'server_gone' });
  const pause_ms = BACKOFF_MS[attempt - 1] * (1 + SPREAD * (2 * chance - 1));
  return {
    ...state,
    ...SILENT,
    phase: 'reconnecting',
    attempt,
    upAt: null,
    retryAt: at + Math.round(pause_ms),
  };
}

/** @param {State} state @param {string} reason @param {number} at @returns {State} */
function over(state, reason, at) {
  const turns = nextTurns(state.turns, state.call, { type: 'session.ended', reason });
  const left = { ...SILENT, microphone: 'closed', transport: null, retryAt: null, upAt: null, problem: null, attempt: 0 };
  if (state.startedAt === null) return /** @type {State} */ ({ ...state, ...left, phase: 'ready', turns });
  return /** @type {State} */ ({ ...state, ...left, phase: 'ended', endedAt: at, endReason: reason, turns });
}

/** A fault that the call survives. @param {State} state @param {Extract<Event, {type: 'error'}>} event */
function warned(state, { code, message, action, turn }) {
  const awaiting = turn === undefined ? state.awaiting : false;
  return withPhase({ ...state, awaiting, problem: { code, message, action } });
}

/**
 * The facts after what the server said.
 *
 * @param {State} state @param {Event} event @returns {State}
 */
function heardFromServer(state, event) {
  switch (event.type) {
    case 'speech.started':
      return { ...state, callerSpeaking: true };
    case 'speech.stopped':
      return { ...state, callerSpeaking: false, awaiting: true };
    case 'asr.final':
      return event.text.trim()
        ? { ...state, callerSpeaking: false, awaiting: state.playing !== event.turn, problem: null }
        : { ...state, callerSpeaking: false, awaiting: false };
    case 'llm.partial':
      return { ...state, awaiting: state.playing !== event.turn };
    case 'tts.start':
      return { ...state, playing: event.turn, held: false, awaiting: false };
    case 'tts.end':
      return state.playing === event.turn ? { ...state, playing: null, held: false, awaiting: false } : state;
    case 'playback.held':
      return { ...state, held: true };
    case 'playback.released':
      // Of an answer that was cut meanwhile it says nothing more.
      return state.playing === event.turn ? { ...state, held: false, callerSpeaking: false, awaiting: false } : { ...state, held: false };
    case 'turn.interrupted':
      return interrupted(state, event.turn);
    default:
      return state;
  }
}

/** @param {State} state @param {number} turn @returns {State} */
function interrupted(state, turn) {
  // Something said or typed since awaits its answer; what was cut before it sounded awaits none.
  const isNewer = state.turns.some(
    ({ call, number, caller }) => call === state.call && caller && (number === null || number > turn),
  );
  return {
    ...state,
    playing: state.playing === turn ? null : state.playing,
    held: false,
    awaiting: state.awaiting && (isNewer || state.playing !== null),
  };
}

/** The conversation after an event. @param {State} state @param {Event} event @returns {State} */
function told(state, event) {
  const turns = nextTurns(state.turns, state.call, event);
  return turns === state.turns ? state : { ...state, turns };
}

/** @param {State} state @returns {State} */
function withPhase(state) {
  const phase = activity(state);
  return phase === state.phase ? state : { ...state, phase };
}

/** @param {State} state @returns {Phase} */
function activity({ callerSpeaking, held, playing, awaiting }) {
  if (callerSpeaking) return 'hearing';
  if (held) return 'held';
  if (playing !== null) return 'speaking';
  return awaiting ? 'thinking' : 'listening';
}
