/** How the call is connected and how well; the numbers on tap. */
/** @import {Link, Network, State, Translate} from '../types.js' */
import { gradeOf, isStale } from '../quality.js';
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

  /** @param {State} state @param {Translate} t @param {number} now */
  draw({ transport, link, network }, t, now) {
    hide(this.chip, !transport, byId('call', HTMLButtonElement));
    if (!transport) return this.#open(false);
    this.chip.dataset.transport = transport;
    const grade = link && gradeOf(link, network, now);
    this.chip.dataset.grade = grade ?? '';
    const way = t(`transport_${transport}`);
    put(this.text, grade ? `${way} · ${t(`quality_${grade}`)}` : way);
    this.#drawNumbers(link, network && !isStale(network, now) ? network : null, t);
  }

  /** @param {Link | null} link @param {Network | null} network @param {Translate} t */
  #drawNumbers(link, network, t) {
    const rows = numbersOf(link, network, t);
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

/** @param {Link | null} link @param {Network | null} network @param {Translate} t @returns {[string, string][]} */
export function numbersOf(link, network, t) {
  /** @type {[string, string][]} */
  const rows = [];
  if (link?.rtt_ms !== undefined) rows.push([t('round_trip'), t('ms', { ms: link.rtt_ms })]);
  if (link?.loss !== undefined) rows.push([t('loss'), percent(link.loss)]);
  if (link?.jitter_ms !== undefined) rows.push([t('jitter'), t('ms', { ms: link.jitter_ms })]);
  if (network) {
    rows.push([t('score'), network.score.toFixed(1)]);
    if (network.loss !== null) rows.push([t('loss_to_server'), percent(network.loss)]);
    rows.push([t('lost_outward'), percent(network.lost_outward)]);
    rows.push([t('concealed'), t('ms', { ms: Math.round(network.concealed_ms) })]);
    rows.push([t('buffer'), t('ms', { ms: Math.round(network.buffer_ms) })]);
  }
  if (link?.underruns !== undefined) rows.push([t('underruns'), String(link.underruns)]);
  return rows.length ? rows : [[t('not_measured'), '…']];
}

/** @param {number} share */
const percent = (share) => `${(share * 100).toFixed(1)} %`;
