/**
 * Tells whether the server is still at the other end of a WebSocket: a path that died
 * without a word closes none. No clock of its own.
 *
 * Two signs: what waits to be sent does not leave, and a question is not answered.
 * The first is the surer one, but the system's own buffers can hide it for long.
 */

/** Longer than a network's hiccup, shorter than a caller's patience. */
const STUCK_MS = 5000;
/** After so long without a word the server is asked for one, and has so long to answer. */
const QUIET_MS = 5000;
const ANSWER_MS = 8000;

export class Lifeline {
  /** What waited after the last sending, bytes. */
  #waiting = 0;
  /** When something was last seen to have left, ms. */
  #movedAt;
  #heardAt;
  /** @type {number | null} */
  #askedAt = null;

  /** @param {number} at ms. */
  constructor(at) {
    this.#movedAt = at;
    this.#heardAt = at;
  }

  /** Something came. @param {number} at */
  heard(at) {
    this.#heardAt = at;
    this.#askedAt = null;
  }

  /** Whether the server is to be asked now; once for each silence. @param {number} at */
  isToBeAsked(at) {
    if (this.#askedAt !== null || at - this.#heardAt < QUIET_MS) return false;
    this.#askedAt = at;
    return true;
  }

  /** @param {number} waiting Bytes, before more is sent. @param {number} at */
  isDead(waiting, at) {
    if (waiting === 0 || waiting < this.#waiting) this.#movedAt = at;
    this.#waiting = waiting;
    return at - this.#movedAt >= STUCK_MS || (this.#askedAt !== null && at - this.#askedAt >= ANSWER_MS);
  }

  /** @param {number} waiting Bytes, with what has just been sent. */
  sent(waiting) {
    this.#waiting = waiting;
  }
}
