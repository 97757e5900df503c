/** Asks for a key where the server does. */
/** @import {Problem, Translate} from '../types.js' */
import { asksForKey } from '../access.js';
import { byId, put } from './element.js';

export class KeyView {
  dialog = byId('key-dialog', HTMLDialogElement);
  field = byId('key', HTMLInputElement);
  problem = byId('key-problem', HTMLElement);
  /** @type {Problem | null} What was asked for last: each refusal asks once. */
  #asked = null;

  /** @param {(key: string) => void} use */
  constructor(use) {
    // Not a button of the form: Enter would press the first of those.
    byId('key-cancel', HTMLButtonElement).addEventListener('click', () => this.dialog.close('cancel'));
    this.dialog.addEventListener('close', () => {
      const key = this.field.value.trim();
      // Nobody who comes to this page later is to find it in the field.
      this.field.value = '';
      if (this.dialog.returnValue === 'use' && key) use(key);
    });
  }

  /** @param {Problem | null} problem @param {Translate} t */
  draw(problem, t) {
    if (!asksForKey(problem?.code) || problem === this.#asked) return;
    this.#asked = problem;
    put(this.problem, problem?.code === 'key_needed' ? '' : t(`error_${problem?.code}`));
    this.problem.hidden = !this.problem.textContent;
    this.dialog.returnValue = '';
    if (!this.dialog.open) this.dialog.showModal();
  }
}
