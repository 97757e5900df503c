/** The effective configuration: found by name, or only what somebody has set. */
/** @import {Translate} from '../../types.js' */
/** @import {Setting} from '../types.js' */
import { byId, make } from '../../view/element.js';

export class ConfigView {
  #body = byId('config', HTMLTableSectionElement);
  #find = byId('config-find', HTMLInputElement);
  #onlySet = byId('config-set', HTMLInputElement);
  #none = byId('config-none', HTMLElement);
  /** @type {Setting[]} */
  #settings = [];
  /** @type {Translate} */
  #t = (key) => key;

  constructor() {
    this.#find.addEventListener('input', () => this.#draw());
    this.#onlySet.addEventListener('change', () => this.#draw());
  }

  /** @param {Setting[]} settings @param {Translate} t */
  draw(settings, t) {
    this.#settings = settings;
    this.#t = t;
    this.#draw();
  }

  #draw() {
    const shown = found(this.#settings, this.#find.value, this.#onlySet.checked);
    this.#none.hidden = shown.length > 0;
    this.#body.replaceChildren(...shown.map((setting) => this.#row(setting)));
  }

  /** @param {Setting} setting */
  #row({ name, value, origin }) {
    const row = make('tr');
    const head = row.appendChild(make('th', 'mono', name));
    head.setAttribute('scope', 'row');
    const told = value === null ? '–' : typeof value === 'string' ? value || '""' : JSON.stringify(value);
    row.append(make('td', 'mono value', told), make('td', origin === 'default' ? 'soft' : '', this.#t(`origin_${origin.replace(' ', '_')}`)));
    return row;
  }
}

/** A name that is looked for is found whoever has set it. @param {Setting[]} settings @param {string} wanted @param {boolean} onlySet */
export function found(settings, wanted, onlySet) {
  const words = wanted.trim().toLowerCase();
  if (words) return settings.filter(({ name }) => name.toLowerCase().includes(words));
  return onlySet ? settings.filter(({ origin }) => origin !== 'default') : settings;
}
