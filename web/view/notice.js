/** What happened and what to do about it: one card, with the buttons that do it. */
/** @import {Problem, ServerInfo, State, Translate} from '../types.js' */
import { isUp } from '../call.js';
import { byId, hide, put } from './element.js';

/** Ends that explain themselves. */
const PLAIN_ENDS = new Set(['caller', 'assistant', null]);
/** Faults in spite of which a caller can type. */
const TYPING_HELPS = new Set(['microphone_blocked', 'microphone_missing', 'microphone_busy', 'insecure']);

export class NoticeView {
  card = byId('notice', HTMLElement);
  what = byId('notice-what', HTMLElement);
  how = byId('notice-do', HTMLElement);
  retry = byId('notice-retry', HTMLButtonElement);
  type = byId('notice-type', HTMLButtonElement);
  cancel = byId('notice-cancel', HTMLButtonElement);
  dismiss = byId('notice-dismiss', HTMLButtonElement);
  announce = byId('announce-notice', HTMLElement);
  call = byId('call', HTMLButtonElement);
  #isFallbackPutAway = false;

  /** @param {State} state @param {ServerInfo | null} info @param {Translate} t */
  draw(state, info, t) {
    if (!state.fallback) this.#isFallbackPutAway = false;
    const notice = noticeOf(state, info, t);
    const isShown = notice !== null && !(notice.isFallback && this.#isFallbackPutAway);
    hide(this.card, !isShown, this.call);
    // Said by an element of its own: readers pass over a region that appears with its words.
    put(this.announce, isShown ? `${notice.what} ${notice.how}`.trim() : '');
    if (!isShown) return;
    put(this.what, notice.what);
    put(this.how, notice.how);
    this.card.classList.toggle('serious', notice.isSerious);
    for (const name of /** @type {const} */ (['retry', 'type', 'cancel', 'dismiss'])) {
      hide(this[name], !notice.choices.includes(name), this.call);
    }
  }

  putFallbackAway() {
    this.#isFallbackPutAway = true;
  }
}

/** @typedef {'retry' | 'type' | 'cancel' | 'dismiss'} Choice */
/** @typedef {{what: string, how: string, isSerious: boolean, isFallback: boolean, choices: Choice[]}} Notice */

/** @param {State} state @param {ServerInfo | null} info @param {Translate} t @returns {Notice | null} */
export function noticeOf(state, info, t) {
  const plain = { what: '', how: '', isSerious: false, isFallback: false };
  const { phase, problem } = state;
  if (problem && phase === 'error') {
    const choices = state.retryAt === null ? waysOn(problem) : /** @type {Choice[]} */ (['cancel']);
    return { ...plain, ...wordsOf(problem, t), isSerious: state.retryAt === null, choices };
  }
  if (isUp(state) && state.microphone === 'lost' && (!problem || TYPING_HELPS.has(problem.code))) {
    return { ...plain, ...wordsOf(problem ?? { code: 'microphone_missing' }, t), choices: ['retry', 'type'] };
  }
  if (problem) return { ...plain, ...wordsOf(problem, t), choices: ['dismiss'] };
  if (phase === 'ended' && !PLAIN_ENDS.has(state.endReason)) {
    return { ...plain, what: endOf(state.endReason ?? '', info, t), choices: [] };
  }
  if (state.fallback && isUp(state)) return { ...plain, how: t('fallback'), isFallback: true, choices: ['dismiss'] };
  return null;
}

/** What a caller can do when there is no call. @param {Problem} problem @returns {Choice[]} */
function waysOn({ code }) {
  if (code === 'insecure') return ['type'];
  return TYPING_HELPS.has(code) ? ['retry', 'type'] : ['retry'];
}

/** Known faults have the page's words; others the server's. @param {Problem} problem @param {Translate} t */
export function wordsOf({ code, message, action }, t) {
  const known = t(`error_${code}`) !== `error_${code}`;
  return {
    what: known ? t(`error_${code}`) : (message ?? t('error_unknown')),
    how: known ? t(`do_${code}`) : (action ?? t('do_unknown')),
  };
}

/** @param {string} reason @param {ServerInfo | null} info @param {Translate} t */
function endOf(reason, info, t) {
  const minutes = Math.round((info?.call?.max_length_s ?? 0) / 60);
  const key = reason === 'time_limit' && !minutes ? 'ended_time_limit_unknown' : `ended_${reason}`;
  const words = t(key, { minutes });
  return words === key ? t('ended_error') : words;
}
