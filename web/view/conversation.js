/** The words of the call. A turn is drawn anew only when it changed. */
/** @import {Answer, CallerWords, State, Translate, Turn} from '../types.js' */
import { byId, make } from './element.js';
import { drawLatency } from './latency.js';

/** The reader is held to follow the words while no farther than this from the end, px. */
const NEAR_END = 80;

export class ConversationView {
  list = byId('conversation', HTMLOListElement);
  welcome = byId('welcome', HTMLElement);
  captionsOff = byId('captions-off', HTMLElement);
  /** @type {Map<string, {turn: Turn | null, item: HTMLElement}>} */
  #drawn = new Map();

  #follows = true;

  constructor() {
    this.list.addEventListener('scroll', () => {
      const { scrollHeight, scrollTop, clientHeight } = this.list;
      this.#follows = scrollHeight - scrollTop - clientHeight < NEAR_END;
    });
    // The field that slides up takes room: the last words stay in sight.
    new ResizeObserver(() => this.#follow()).observe(this.list);
  }

  /** @param {State} state @param {boolean} captions @param {Translate} t */
  draw(state, captions, t) {
    const begun = state.turns.length > 0 || !['ready', 'error'].includes(state.phase);
    this.welcome.hidden = begun;
    this.captionsOff.hidden = captions || !begun;
    this.list.hidden = !captions || !begun;
    if (this.#drawTurns(state.turns, t)) this.#follow();
  }

  #follow() {
    if (this.#follows) this.list.scrollTop = this.list.scrollHeight;
  }

  /** Words in another language: all is drawn anew. */
  forget() {
    this.#drawn.clear();
    this.list.replaceChildren();
  }

  /** @param {Turn[]} turns @param {Translate} t @returns {boolean} Whether anything changed. */
  #drawTurns(turns, t) {
    let changed = this.#prune(turns);
    turns.forEach((turn, index) => {
      const before = this.#drawn.get(turn.key);
      if (before?.turn === turn) return;
      changed = true;
      if (!before && turns[index - 1] && turns[index - 1].call !== turn.call) this.#divide(turn.call, t);
      const item = before?.item ?? this.list.appendChild(make('li', 'turn'));
      drawTurn(item, turn, t);
      this.#drawn.set(turn.key, { turn, item });
    });
    return changed;
  }

  /** @param {Turn[]} turns A new conversation starts with an empty list. */
  #prune(turns) {
    if (turns.length || !this.#drawn.size) return false;
    this.forget();
    return true;
  }

  /** @param {number} call @param {Translate} t */
  #divide(call, t) {
    const item = this.list.appendChild(make('li', 'divider', t('reconnected')));
    this.#drawn.set(`divider.${call}`, { turn: null, item });
  }
}

/** @param {HTMLElement} item @param {Turn} turn @param {Translate} t */
function drawTurn(item, turn, t) {
  item.dataset.turn = String(turn.number ?? '');
  drawCaller(part(item, 'caller-words', 'p'), turn.caller, t);
  const answer = part(item, 'answer', 'div');
  answer.hidden = !turn.answer;
  if (!turn.answer) return;
  drawAnswer(part(answer, 'answer-words', 'p'), turn.answer, t);
  drawLatency(part(answer, 'latency', 'div'), turn.latency, t);
}

/** @param {HTMLElement} p @param {CallerWords | null} caller @param {Translate} t */
function drawCaller(p, caller, t) {
  p.hidden = !caller;
  if (!caller) return;
  p.classList.toggle('partial', !caller.settled);
  p.classList.toggle('lost', caller.settled && !caller.text);
  p.replaceChildren(unseen(t('caller')), caller.text || t('not_understood'));
}

/** @param {HTMLElement} p @param {Answer} answer @param {Translate} t */
function drawAnswer(p, { text, now, said, heard }, t) {
  const parts = [unseen(t('assistant'))];
  if (heard !== null) {
    parts.push(make('span', 'said', text.slice(0, heard).trimEnd()));
    const cut = text.slice(heard).trim();
    if (cut) parts.push(make('span', '', ' '), make('s', 'unheard', cut), make('span', 'not-heard', t('not_heard')));
  } else {
    const from = now?.from ?? said;
    parts.push(make('span', 'said', text.slice(0, from)));
    if (now) parts.push(make('mark', 'now', text.slice(now.from, now.to)));
    parts.push(make('span', 'ahead', text.slice(now?.to ?? said)));
  }
  p.replaceChildren(...parts.filter((each) => each.textContent));
  p.hidden = !text;
}

/** Who speaks is seen by the side; heard it must be said. @param {string} who */
function unseen(who) {
  return make('span', 'unseen', `${who}: `);
}

/** The child of this class, made when it is not there. @param {HTMLElement} parent @param {string} className @param {string} tag */
function part(parent, className, tag) {
  const found = parent.querySelector(`:scope > .${className}`);
  return found instanceof HTMLElement ? found : parent.appendChild(make(tag, className));
}
