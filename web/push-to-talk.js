/** Holding to talk: opens the line on the press and closes it a little after the release. */

/** What was said before the release is still on its way through the microphone, ms. */
const TAIL_MS = 150;

export class PushToTalk {
  #isHeld = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #closing;

  /** @param {{open: () => void, close: () => void}} line */
  constructor(line) {
    this.line = line;
  }

  press() {
    const wasOpen = this.#isHeld || this.#closing !== undefined;
    this.#keepOpen();
    this.#isHeld = true;
    // Pressed again at once: the same turn goes on.
    if (!wasOpen) this.line.open();
  }

  release() {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#closing = setTimeout(() => this.end(), TAIL_MS);
  }

  /** Without the tail: push-to-talk was switched off. */
  end() {
    if (!this.#isHeld && this.#closing === undefined) return;
    this.#keepOpen();
    this.#isHeld = false;
    this.line.close();
  }

  #keepOpen() {
    clearTimeout(this.#closing);
    this.#closing = undefined;
  }
}
