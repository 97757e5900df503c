/** The ring: the caller's level inside the button, the assistant's outside. */

/** Rises at once, falls slowly: the eye follows speech, not each of its samples. */
const FALL = 0.86;

export class RingView {
  #caller = 0;
  #voice = 0;
  #frame = 0;

  /** @param {() => {caller: number, voice: number}} read Levels now, 0 to 1. */
  constructor(read) {
    this.read = read;
  }

  /** @param {boolean} on Whether there is anything to show: without a call nothing is drawn. */
  run(on) {
    if (on && !this.#frame) this.#frame = requestAnimationFrame(() => this.#draw());
    if (!on && this.#frame) {
      cancelAnimationFrame(this.#frame);
      this.#frame = 0;
      this.#show(0, 0);
    }
  }

  #draw() {
    const { caller, voice } = this.read();
    this.#show(Math.max(caller, this.#caller * FALL), Math.max(voice, this.#voice * FALL));
    this.#frame = requestAnimationFrame(() => this.#draw());
  }

  /** @param {number} caller @param {number} voice */
  #show(caller, voice) {
    this.#caller = caller;
    this.#voice = voice;
    // With reduced motion the style sheet keeps the size and lets only the shade follow.
    document.body.style.setProperty('--caller-level', caller.toFixed(3));
    document.body.style.setProperty('--voice-level', voice.toFixed(3));
  }
}
