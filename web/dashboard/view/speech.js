/** A text, a voice, and how it sounds. */
/** @import {ServerInfo, Translate} from '../../types.js' */
/** @import {SpeechWish} from '../types.js' */
import { byId, make, put } from '../../view/element.js';

export class SpeechView {
  form = byId('speech', HTMLFormElement);
  #text = byId('speech-text', HTMLTextAreaElement);
  #voice = byId('speech-voice', HTMLSelectElement);
  #format = byId('speech-format', HTMLSelectElement);
  #speed = byId('speech-speed', HTMLInputElement);
  #told = byId('speech-told', HTMLElement);
  #audio = byId('speech-audio', HTMLAudioElement);
  #button = byId('speak', HTMLButtonElement);
  #address = '';

  /** @param {(wish: SpeechWish) => void} speak */
  constructor(speak) {
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      const { value: voice } = this.#voice;
      speak({
        text: this.#text.value,
        ...(voice && { voice, language: this.#voice.selectedOptions[0].lang || undefined }),
        speed: Number(this.#speed.value),
        format: this.#format.value,
      });
    });
  }

  /** @param {ServerInfo} info @param {Translate} t */
  draw(info, t) {
    const chosen = this.#voice.value;
    const usual = /** @type {HTMLOptionElement} */ (make('option', '', t('voice_default')));
    usual.value = '';
    const voices = info.voices.map((voice) => {
      const option = /** @type {HTMLOptionElement} */ (make('option', '', `${voice.name || voice.id} (${voice.language})`));
      option.value = voice.id;
      option.lang = voice.language;
      return option;
    });
    this.#voice.replaceChildren(usual, ...voices);
    this.#voice.value = chosen;
    this.#speed.oninput = () => put(byId('speech-speed-value', HTMLElement), t('speed_value', { speed: Number(this.#speed.value).toFixed(1) }));
    this.#speed.oninput(new Event('input'));
  }

  /** @param {string} words */
  wait(words) {
    this.#button.disabled = true;
    put(this.#told, words);
  }

  /** @param {Blob} sound @param {string} words */
  play(sound, words) {
    this.tell(words);
    if (this.#address) URL.revokeObjectURL(this.#address);
    this.#address = URL.createObjectURL(sound);
    this.#audio.hidden = false;
    this.#audio.src = this.#address;
    // A browser that forbids it leaves the press on "play" to the person.
    this.#audio.play().catch(() => {});
  }

  /** @param {string} words */
  tell(words) {
    this.#button.disabled = false;
    put(this.#told, words);
  }
}
