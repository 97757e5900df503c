/** The text field that slides up. */
import { byId } from './element.js';

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
    const hadFocus = this.form.contains(document.activeElement);
    this.form.hidden = true;
    this.opener.setAttribute('aria-expanded', 'false');
    if (hadFocus) this.opener.focus();
  }

  toggle() {
    if (this.isOpen) this.close();
    else this.open();
  }
}
