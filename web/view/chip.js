/** How the call is connected and how well; the numbers on tap. */
/** @import {Link, State, Translate} from '../types.js' */
import { byId, hide, make, put } from './element.js';

export class ChipView {
  chip = byId('chip', HTMLButtonElement);
  text = byId('chip-text', HTMLElement);
  numbers = byId('numbers', HTMLElement);
  #shown = '';

  constructor() {
    this.chip.addEventListener('click', () => this.#open(this.numbers.hidden));
    document.addEventListener('click', ({ target }) => {
      if (!this.chip.parentElement?.contains(/** @type {Node} */ (target))) this.#open(false);
    });
  }

  /** @param {State} state @param {Translate} t */
  draw({ transport, link }, t) {
    hide(this.chip, !transport, byId('call', HTMLButtonElement));
    if (!transport) return this.#open(false);
    this.chip.dataset.transport = transport;
    this.chip.dataset.grade = link?.grade ?? '';
    const way = t(`transport_${transport}`);
    put(this.text, link ? `${way} · ${t(`quality_${link.grade}`)}` : way);
    this.#drawNumbers(link, t);
  }

  /** @param {Link | null} link @param {Translate} t */
  #drawNumbers(link, t) {
    const rows = numbersOf(link, t);
    const shown = JSON.stringify(rows);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.numbers.replaceChildren(...rows.flatMap(([name, value]) => [make('dt', '', name), make('dd', '', value)]));
  }

  get isOpen() {
    return !this.numbers.hidden;
  }

  close() {
    this.#open(false);
  }

  /** @param {boolean} open */
  #open(open) {
    this.numbers.hidden = !open;
    this.chip.setAttribute('aria-expanded', String(open));
  }
}

/** @param {Link | null} link @param {Translate} t @returns {[string, string][]} */
function numbersOf(link, t) {
  /** @type {[string, string][]} */
  const rows = [];
  if (link?.rtt_ms !== undefined) rows.push([t('round_trip'), t('ms', { ms: link.rtt_ms })]);
  if (link?.loss !== undefined) rows.push([t('loss'), `${(link.loss * 100).toFixed(1)} %`]);
  if (link?.jitter_ms !== undefined) rows.push([t('jitter'), t('ms', { ms: link.jitter_ms })]);
  if (link?.underruns !== undefined) rows.push([t('underruns'), String(link.underruns)]);
  return rows.length ? rows : [[t('not_measured'), '…']];
}
