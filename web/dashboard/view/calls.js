/** The live calls, a row each; rows stay while their calls do, so that the focus does. */
/** @import {Translate} from '../../types.js' */
/** @import {LiveCall} from '../types.js' */
import { byId, make, put } from '../../view/element.js';

/** The cells and the words above them; on a phone, beside them. */
const CELLS = /** @type {const} */ ([
  ['state', 'state'],
  ['transport', 'connection'],
  ['user', 'caller'],
  ['length', 'length'],
  ['turns', 'turns'],
  ['trip', 'round_trip'],
  ['loss', 'loss'],
  ['score', 'score'],
]);
const NUMBERS = new Set(['length', 'turns', 'trip', 'loss', 'score']);

export class CallsView {
  #table = byId('calls', HTMLTableElement);
  #none = byId('no-calls', HTMLElement);
  /** @type {Map<string, {row: HTMLTableRowElement, cells: Map<string, HTMLElement>, end: HTMLButtonElement}>} */
  #rows = new Map();

  /** @param {(id: string) => void} end */
  constructor(end) {
    this.end = end;
  }

  /** @param {LiveCall[]} calls @param {Translate} t */
  draw(calls, t) {
    this.#none.hidden = calls.length > 0;
    this.#table.hidden = !calls.length;
    const live = new Set(calls.map(({ id }) => id));
    for (const [id, { row }] of this.#rows) {
      if (live.has(id)) continue;
      const hadFocus = row.contains(document.activeElement);
      row.remove();
      this.#rows.delete(id);
      if (hadFocus) byId('calls-title', HTMLElement).parentElement?.scrollIntoView({ block: 'nearest' });
    }
    for (const call of calls) this.#write(call, t);
  }

  /** @param {LiveCall} call @param {Translate} t */
  #write(call, t) {
    const { cells, end } = this.#rows.get(call.id) ?? this.#add(call.id);
    const write = (/** @type {string} */ name, /** @type {string} */ text) => put(/** @type {HTMLElement} */ (cells.get(name)), text);
    for (const [name, label] of CELLS) /** @type {HTMLElement} */ (cells.get(name)?.closest('td')).dataset.label = t(label);
    const state = /** @type {HTMLElement} */ (cells.get('state'));
    state.dataset.state = call.state;
    write('state', t(`state_${call.state}`));
    write('transport', t(`transport_${call.transport}`));
    write('user', call.user ? call.user.slice(0, 8) : t('nobody'));
    write('length', lengthOf(call.seconds));
    write('turns', String(call.turns));
    write('trip', call.latest ? t('ms', { ms: call.latest.first_audio_ms }) : '–');
    write('loss', call.loss === null ? '–' : `${(100 * call.loss).toFixed(1)} %`);
    write('score', call.score === null ? '–' : call.score.toFixed(1));
    put(end, t('end_call'));
  }

  /** @param {string} id */
  #add(id) {
    const row = this.#table.tBodies[0].insertRow();
    /** @type {Map<string, HTMLElement>} */
    const cells = new Map();
    for (const [name] of CELLS) {
      const cell = row.insertCell();
      cell.classList.toggle('number', NUMBERS.has(name));
      cells.set(name, name === 'state' ? cell.appendChild(make('span', 'state')) : cell);
    }
    const end = /** @type {HTMLButtonElement} */ (row.insertCell().appendChild(make('button', 'button small')));
    end.type = 'button';
    end.addEventListener('click', () => {
      end.disabled = true;
      this.end(id);
    });
    const added = { row, cells, end };
    this.#rows.set(id, added);
    return added;
  }
}

/** @param {number} seconds */
export function lengthOf(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
