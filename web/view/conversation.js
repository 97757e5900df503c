/** The words of the call. A turn is drawn anew only when it changed. */
/** @import {Answer, CallerWords, State, Translate, Turn} from '../types.js' */
import { byId, make } from './element.js';
import { drawLatency } from './latency.js';

/** The reader is held to follow the words while no farther than this from the end, px. */
const NEAR_END = 80;
/** Of a very long call only the newest turns are shown; the transcript has them all. */
const MOST_SHOWN = 200;

export class ConversationView {
  list = byId('conversation', HTMLOListElement);
  welcome = byId('welcome', HTMLElement);
  captionsOff = byId('captions-off', HTMLElement);
  /** @type {Map<number, {turn: Turn, item: HTMLElement, divider: HTMLElement | null}>} */
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
    const shown = turns.slice(-MOST_SHOWN);
    let changed = this.#prune(shown);
    shown.forEach((turn, index) => {
      const before = this.#drawn.get(turn.key);
      if (before?.turn === turn) return;
      changed = true;
      const isAnew = !before && shown[index - 1] && shown[index - 1].call !== turn.call;
      const divider = isAnew ? this.list.appendChild(make('li', 'divider', t('begun_anew'))) : (before?.divider ?? null);
      const item = before?.item ?? this.list.appendChild(make('li', 'turn'));
      drawTurn(item, turn, t);
      this.#drawn.set(turn.key, { turn, item, divider });
    });
    return changed;
  }

  /** Takes away what is not shown any more. @param {Turn[]} shown @returns {boolean} Whether there was such. */
  #prune(shown) {
    const kept = new Set(shown.map(({ key }) => key));
    const gone = [...this.#drawn].filter(([key]) => !kept.has(key));
    for (const [key, { item, divider }] of gone) {
      item.remove();
      divider?.remove();
      this.#drawn.delete(key);
    }
    return gone.length > 0;
  }
}

/** @param {HTMLElement} item @param {Turn} turn @param {Translate} t */
function drawTurn(item, turn, t) {
  item.dataset.turn = String(turn.number ?? '');
  if (turn.caller) drawCaller(part(item, 'caller-words', 'p'), turn.caller, t);
  if (turn.answer) {
    const answer = part(item, 'answer', 'div');
    drawAnswer(part(answer, 'answer-words', 'p'), turn.answer, t);
    drawLatency(part(answer, 'latency', 'div'), turn.latency, t);
  }
  if (turn.gap) part(item, 'gap', 'p').replaceChildren(t('gap'));
}

/** @param {HTMLElement} p @param {CallerWords} caller @param {Translate} t */
function drawCaller(p, caller, t) {
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
    if (cut) parts.push(make('span', '', ' '), make('s', 'unheard', cut), make('span', '', ' '), make('span', 'not-heard', t('not_heard')));
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
