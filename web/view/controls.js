/** The button, the words above it, and what stands around it. */
/** @import {State, Translate} from '../types.js' */
import { isBusy, isUp } from '../call.js';
import { byId, hide, put } from './element.js';

export class ControlsView {
  phase = byId('phase', HTMLElement);
  hint = byId('hint', HTMLElement);
  call = byId('call', HTMLButtonElement);
  mute = byId('mute', HTMLButtonElement);
  handsFree = byId('hands-free', HTMLButtonElement);
  pushToTalk = byId('push-to-talk', HTMLButtonElement);
  pushToTalkText = byId('push-to-talk-text', HTMLElement);
  callAgain = byId('call-again', HTMLButtonElement);
  save = byId('save', HTMLButtonElement);
  openComposer = byId('open-composer', HTMLButtonElement);
  announce = byId('announce', HTMLElement);

  /** @param {State} state @param {Translate} t @param {number} at The present, ms. */
  draw(state, t, at) {
    const { dataset } = document.body;
    dataset.phase = state.phase;
    flag(dataset, 'busy', isBusy(state));
    flag(dataset, 'up', isUp(state));
    this.#drawWords(state, t, at);
    this.#drawButtons(state, t);
  }

  /** @param {State} state @param {Translate} t @param {number} at */
  #drawWords(state, t, at) {
    const waits = state.phase === 'error' && state.retryAt !== null;
    const phase = t(waits ? 'phase_error_retry' : `phase_${state.phase}`);
    put(this.phase, phase);
    put(this.hint, hintOf(state, t, at));
    // The countdown is left out: each second spoken would be noise.
    put(this.announce, phase);
  }

  /** @param {State} state @param {Translate} t */
  #drawButtons(state, t) {
    const up = isUp(state);
    const ended = state.phase === 'ended';
    label(this.call, t(isUp(state) ? 'hang_up' : isBusy(state) ? 'cancel' : ended ? 'call_again' : 'call'));
    const live = up && state.microphone === 'live';
    hide(this.mute, !live || state.pushToTalk, this.call);
    // The name stays: "Mute, pressed" says it once, "Unmute, pressed" would say the contrary.
    this.mute.setAttribute('aria-pressed', String(state.muted));
    hide(this.handsFree, !live || !state.pushToTalk, live ? this.mute : this.call);
    hide(this.pushToTalk, !live, this.call);
    this.pushToTalk.classList.toggle('holding', state.talking);
    put(this.pushToTalkText, t(state.pushToTalk ? 'hold_to_talk' : 'push_to_talk'));
    if (state.pushToTalk) this.pushToTalk.setAttribute('aria-pressed', String(state.talking));
    else this.pushToTalk.removeAttribute('aria-pressed');
    hide(this.callAgain, !ended, this.call);
    hide(this.save, !(ended || state.phase === 'error') || !state.turns.length, this.call);
    hide(this.openComposer, !up || state.mode === 'transcribe_only', this.call);
  }
}

/** @param {State} state @param {Translate} t @param {number} at */
function hintOf(state, t, at) {
  const seconds = state.retryAt === null ? 0 : Math.max(0, Math.ceil((state.retryAt - at) / 1000));
  switch (state.phase) {
    case 'reconnecting':
      return state.retryAt === null ? t('hint_reconnecting_now') : t('hint_reconnecting', { seconds });
    case 'error':
      return state.retryAt === null ? '' : t('hint_error_retry', { seconds });
    case 'listening':
      return t(`hint_listening${listening(state)}`);
    case 'ended': {
      const turns = state.turns.filter(({ caller }) => caller?.text).length;
      const length = lengthOf((state.endedAt ?? 0) - (state.startedAt ?? 0));
      return t(turns === 1 ? 'hint_ended_one' : 'hint_ended', { length, turns });
    }
    case 'hearing':
    case 'thinking':
      return '';
    default:
      return t(`hint_${state.phase}`);
  }
}

/** What keeps the caller from just speaking. @param {State} state */
function listening(state) {
  if (state.mode === 'transcribe_only') return '_written';
  if (state.microphone !== 'live') return '_typing';
  if (state.pushToTalk) return '_ptt';
  return state.muted ? '_muted' : '';
}

/** @param {number} ms */
export function lengthOf(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** @param {HTMLElement} button @param {string} words */
function label(button, words) {
  button.setAttribute('aria-label', words);
  button.title = words;
}

/** @param {DOMStringMap} dataset @param {string} name @param {boolean} on */
function flag(dataset, name, on) {
  if (on) dataset[name] = '';
  else delete dataset[name];
}
