/** What happened and what to do about it: one card, with the buttons that do it. */
/** @import {Problem, ServerInfo, State, Translate} from '../types.js' */
import { isUp } from '../call.js';
import { byId, put } from './element.js';

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
  /** @type {string | null} What the caller has put away. */
  dismissed = null;

  /** @param {State} state @param {ServerInfo | null} info @param {Translate} t */
  draw(state, info, t) {
    const notice = noticeOf(state, info, t);
    this.card.hidden = !notice || notice.id === this.dismissed;
    if (!notice) this.dismissed = null;
    if (!notice || this.card.hidden) return;
    this.card.dataset.notice = notice.id;
    put(this.what, notice.what);
    put(this.how, notice.how);
    const broken = state.phase === 'error';
    const waits = state.retryAt !== null;
    this.card.classList.toggle('serious', broken && !waits);
    this.retry.hidden = !broken || waits || state.problem?.code === 'insecure';
    this.type.hidden = !broken || !TYPING_HELPS.has(state.problem?.code ?? '');
    this.cancel.hidden = !broken || !waits;
    this.dismiss.hidden = broken || state.phase === 'ended';
  }

  putAway() {
    this.dismissed = this.card.dataset.notice ?? null;
  }
}

/** @param {State} state @param {ServerInfo | null} info @param {Translate} t */
function noticeOf(state, info, t) {
  if (state.problem) return ofProblem(state.problem, t);
  if (state.phase === 'ended' && !PLAIN_ENDS.has(state.endReason)) return ofEnd(state.endReason ?? '', info, t);
  if (state.fallback && isUp(state)) return { id: 'fallback', what: '', how: t('fallback') };
  return null;
}

/** Known faults have the page's words; others the server's. @param {Problem} problem @param {Translate} t */
function ofProblem({ code, message, action }, t) {
  const known = t(`error_${code}`) !== `error_${code}`;
  return {
    id: code,
    what: known ? t(`error_${code}`) : (message ?? t('error_unknown')),
    how: known ? t(`do_${code}`) : (action ?? t('do_unknown')),
  };
}

/** @param {string} reason @param {ServerInfo | null} info @param {Translate} t */
function ofEnd(reason, info, t) {
  const minutes = Math.round((info?.call?.max_length_s ?? 0) / 60);
  const key = reason === 'time_limit' && !minutes ? 'ended_time_limit_unknown' : `ended_${reason}`;
  const words = t(key, { minutes });
  return { id: `ended_${reason}`, what: words === key ? t('ended_error') : words, how: '' };
}
