/** The text field that slides up. */
import { byId, hide } from './element.js';

export class ComposerView {
  form = byId('composer', HTMLFormElement);
  field = byId('text', HTMLInputElement);
  opener = byId('open-composer', HTMLButtonElement);

  /** @param {(text: string) => void} say */
  constructor(say) {
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      const text = this.field.value.trim();
      if (text) say(text);
      this.field.value = '';
    });
  }

  get isOpen() {
    return !this.form.hidden;
  }

  open() {
    this.form.hidden = false;
    this.opener.setAttribute('aria-expanded', 'true');
    this.field.focus();
  }

  close() {
    if (!this.isOpen) return;
    this.opener.setAttribute('aria-expanded', 'false');
    // Not on a button when the call has ended: who goes on typing would press it.
    hide(this.form, true, this.opener.hidden ? byId('phase', HTMLElement) : this.opener);
  }

  toggle() {
    if (this.isOpen) this.close();
    else this.open();
  }
}
